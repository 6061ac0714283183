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

/** Number formats in which a model file can store its weights. */
export const weightFormats = ["float32", "float16", "int8"] as const;
export type WeightFormat = (typeof weightFormats)[number];

/** Smaller tensors keep their format, since an extra node would cost more than they save. */
const minElements = 64;

const floatsOf = ({ rawData }: TensorProto): Float32Array =>
  new Float32Array(rawData.slice().buffer, 0, rawData.byteLength / 4);

const bytesOf = (view: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);

/** Adds a constant to the graph, and returns its name. */
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

/** Stores a tensor as 16-bit floats, with a node that casts it back. */
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

/** Stores a tensor as 8-bit integers with one scale, symmetric around zero, with a node that scales it back. */
function replaceByInt8(graph: GraphProto, tensor: TensorProto): void {
  const values = floatsOf(tensor);
  const scale = values.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-12) / 127;
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

/** Returns the model with its weights in another format. The input statistics (`mean`, `scale`) keep theirs. */
export function convertWeights(
  format: WeightFormat,
  bytes: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (format === "float32") return bytes;
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (!graph) throw new Error("The bytes contain no ONNX graph.");
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
