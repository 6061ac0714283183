import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../model/onnx/generated/onnx_pb.js";

/** How weights may lie in the file. */
export const weightFormats = ["float32", "float16", "int8"] as const;
export type WeightFormat = (typeof weightFormats)[number];

/** Smaller tensors are not worth a node of their own. */
const minElements = 64;

const floatsOf = ({ rawData }: TensorProto): Float32Array =>
  new Float32Array(rawData.slice().buffer, 0, rawData.byteLength / 4);

const bytesOf = (view: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);

/** Adds a constant of the graph. */
function addConstant(
  graph: GraphProto,
  name: string,
  dims: bigint[],
  dataType: number,
  data: ArrayBufferView,
): string {
  graph.initializer.push(create(TensorProtoSchema, { name, dims, dataType, rawData: bytesOf(data) }));
  return name;
}

/** The tensor as half floats, cast back where it is used. */
function replaceByFloat16(graph: GraphProto, tensor: TensorProto): void {
  const stored = addConstant(
    graph,
    `${tensor.name}.f16`,
    tensor.dims,
    TensorProto_DataType.FLOAT16,
    new Float16Array(floatsOf(tensor)),
  );
  const to = create(AttributeProtoSchema, {
    name: "to",
    type: AttributeProto_AttributeType.INT,
    i: BigInt(TensorProto_DataType.FLOAT),
  });
  graph.node.unshift(
    create(NodeProtoSchema, { opType: "Cast", input: [stored], output: [tensor.name], attribute: [to] }),
  );
}

/** The tensor as bytes of one scale, symmetric about zero, scaled back where it is used. */
function replaceByInt8(graph: GraphProto, tensor: TensorProto): void {
  const values = floatsOf(tensor);
  const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12) / 127;
  const stored = addConstant(
    graph,
    `${tensor.name}.i8`,
    tensor.dims,
    TensorProto_DataType.INT8,
    Int8Array.from(values, (value) => Math.round(value / scale)),
  );
  const scales = addConstant(
    graph,
    `${tensor.name}.scale`,
    [],
    TensorProto_DataType.FLOAT,
    Float32Array.of(scale),
  );
  graph.node.unshift(
    create(NodeProtoSchema, { opType: "DequantizeLinear", input: [stored, scales], output: [tensor.name] }),
  );
}

/** The model with its weights in another format; the inputs' statistics stay as they are. */
export function convertWeights(
  format: WeightFormat,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (format === "float32") return bytes;
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (!graph) throw new Error("the model has no graph");
  const isWeight = ({ name, dataType, rawData }: TensorProto): boolean =>
    dataType === TensorProto_DataType.FLOAT &&
    rawData.byteLength >= 4 * minElements &&
    name !== "mean" &&
    name !== "scale";
  const weights = graph.initializer.filter(isWeight);
  graph.initializer = graph.initializer.filter((tensor) => !isWeight(tensor));
  for (const tensor of weights) (format === "float16" ? replaceByFloat16 : replaceByInt8)(graph, tensor);
  return new Uint8Array(toBinary(ModelProtoSchema, model));
}
