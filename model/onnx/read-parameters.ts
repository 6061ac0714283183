import { fromBinary } from "@bufbuild/protobuf";
import type { FeatureShape } from "../features/batch.ts";
import { parameterSpecs } from "../network/network.ts";
import type { Parameters } from "../network/parameters.ts";
import { ModelProtoSchema, TensorProto_DataType } from "./generated/onnx_pb.js";

/**
 * Reads the parameters from a file that {@link exportOnnx} wrote, so that training can start from them. Returns null if
 * the file holds another network.
 */
export function readParameters(shape: FeatureShape, bytes: Uint8Array): Parameters | null {
  const parameters: Parameters = new Map();
  try {
    const { graph } = fromBinary(ModelProtoSchema, bytes);
    const tensors = new Map(graph?.initializer.map((each) => [each.name, each]));
    for (const { name, rows, columns, trained } of parameterSpecs(shape)) {
      const tensor = tensors.get(name);
      if (tensor?.dataType !== TensorProto_DataType.FLOAT || tensor.rawData.byteLength !== 4 * rows * columns)
        return null;
      parameters.set(name, {
        name,
        rows,
        columns,
        trained,
        data: new Float32Array(tensor.rawData.slice().buffer),
      });
    }
  } catch {
    return null;
  }
  return parameters;
}
