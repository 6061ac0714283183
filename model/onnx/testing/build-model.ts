import { create, toBinary } from "@bufbuild/protobuf";
import type { FeatureShape } from "../../features/batch.ts";
import { opset as exportedOpset, inputSpecs, outputSpecs, valueInfo } from "../export.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  AttributeProto_AttributeType as Type,
} from "../generated/onnx_pb.js";

/** Value of an attribute: a number that is whole is an INT, another one a FLOAT, a list a list of INT. */
export type AttributeValue = number | string | readonly number[] | TensorProto;

/** Returns an attribute. */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === "string")
    return create(AttributeProtoSchema, { name, type: Type.STRING, s: new TextEncoder().encode(value) });
  if (typeof value === "number")
    return Number.isInteger(value)
      ? create(AttributeProtoSchema, { name, type: Type.INT, i: BigInt(value) })
      : create(AttributeProtoSchema, { name, type: Type.FLOAT, f: value });
  if ("$typeName" in value) return create(AttributeProtoSchema, { name, type: Type.TENSOR, t: value });
  return create(AttributeProtoSchema, { name, type: Type.INTS, ints: value.map(BigInt) });
}

/** Returns a node; "a b" names two inputs or outputs. */
export const node = (
  opType: string,
  inputs: string,
  outputs: string,
  attributes: Readonly<Record<string, AttributeValue>> = {},
): NodeProto =>
  create(NodeProtoSchema, {
    opType,
    input: inputs === "" ? [] : inputs.split(" ").map((name) => (name === "-" ? "" : name)),
    output: outputs.split(" "),
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });

/** Returns a tensor of 32-bit floats. */
export const floats = (name: string, dims: readonly number[], values: readonly number[]): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: TensorProto_DataType.FLOAT,
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  });

/** Returns 64-bit integers: a list, a single number, or a tensor of other dimensions. */
export const integers = (
  name: string,
  values: number | readonly (number | bigint)[],
  dims: readonly number[] = typeof values === "number" ? [] : [values.length],
): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: TensorProto_DataType.INT64,
    int64Data: (typeof values === "number" ? [values] : values).map(BigInt),
  });

/** Nodes that compute both heads from `dense`. */
const headNodes = [
  node("ReduceMax", "dense", "engage", { axes: [1], keepdims: 0 }),
  node("Identity", "engage", "purchase"),
];

/**
 * Returns a model of nodes and weights for the inputs of `shape`. Unless a node computes `engage`, the heads are the
 * maximum of `dense`.
 */
export function buildModel(
  shape: FeatureShape,
  nodes: readonly NodeProto[],
  weights: readonly TensorProto[] = [],
  opset = exportedOpset,
): ModelProto & { graph: GraphProto } {
  const hasHeads = nodes.some(({ output }) => output.includes("engage"));
  const axes = opset >= 18 && !hasHeads ? [integers("axes of heads", [1])] : [];
  const heads =
    axes.length > 0 ? [node("ReduceMax", "dense", "engage", { keepdims: 0 }), headNodes[1]] : headNodes;
  if (axes.length > 0) heads[0].input.push("axes of heads");
  const graph = create(GraphProtoSchema, {
    name: "test",
    node: [...nodes, ...(hasHeads ? [] : heads)],
    initializer: [...weights, ...axes],
    input: inputSpecs(shape).map(valueInfo),
    output: outputSpecs.map(valueInfo),
  });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) })],
    graph,
  });
  return Object.assign(model, { graph });
}

/** Returns the file of a model. */
export const modelBytes = (model: ModelProto): Uint8Array<ArrayBuffer> =>
  new Uint8Array(toBinary(ModelProtoSchema, model));
