import { create, toBinary } from "@bufbuild/protobuf";
import { type FeatureShape, momentLength } from "../features/batch.ts";
import { buildNetwork } from "../network/network.ts";
import type { Parameters } from "../network/parameters.ts";
import { GraphBuilder } from "./builder.ts";
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
  Version,
} from "./generated/onnx_pb.js";

/** ONNX operator set of exported files. */
export const opset = 17;

/** An input or output of the file. A number in `shape` is a fixed size, a name is an open size. */
export interface TensorSpec {
  name: string;
  type: "float32" | "int32";
  shape: (string | number)[];
}

/** Returns the specs of a file's inputs for a feature shape. */
export const inputSpecs = (shape: FeatureShape): TensorSpec[] => [
  { name: "dense", type: "float32", shape: ["n", shape.dense.length] },
  { name: "pair", type: "float32", shape: ["n", shape.history, shape.pair.length] },
  { name: "event", type: "float32", shape: [shape.history, shape.event.length] },
  { name: "category", type: "int32", shape: ["n"] },
  { name: "historyCategory", type: "int32", shape: [shape.history] },
  { name: "moment", type: "int32", shape: [momentLength] },
];

/** Specs of a file's outputs, which are logits. */
export const outputSpecs: TensorSpec[] = [
  { name: "engage", type: "float32", shape: ["n"] },
  { name: "purchase", type: "float32", shape: ["n"] },
];

/** Returns how a file declares an input or output. */
export function valueInfo({ name, type, shape }: TensorSpec): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: type === "float32" ? TensorProto_DataType.FLOAT : TensorProto_DataType.INT32,
          shape: {
            dim: shape.map((each) =>
              typeof each === "number"
                ? { value: { case: "dimValue" as const, value: BigInt(each) } }
                : { value: { case: "dimParam" as const, value: each } },
            ),
          },
        },
      },
    },
  });
}

/** Returns the network with its parameters as an ONNX file. */
export function exportOnnx(shape: FeatureShape, parameters: Parameters): Uint8Array {
  const graph = new GraphBuilder(parameters);
  const { engage, purchase } = buildNetwork(
    graph,
    {
      dense: "dense",
      pair: graph.reshapeTo("pair", [-1, shape.pair.length]),
      event: "event",
      category: "category",
      historyCategory: "historyCategory",
      moment: "moment",
    },
    shape,
  );
  graph.reshapeTo(engage, [-1], "engage");
  graph.reshapeTo(purchase, [-1], "purchase");
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(Version.IR_VERSION_2021_7_30),
      producerName: "vicinity",
      opsetImport: [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(opset) })],
      graph: create(GraphProtoSchema, {
        name: "ranker",
        node: graph.nodes,
        initializer: graph.initializers,
        input: inputSpecs(shape).map(valueInfo),
        output: outputSpecs.map(valueInfo),
      }),
    }),
  );
}
