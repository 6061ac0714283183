import { type FeatureBatch, type FeatureShape, momentLength } from "../features/batch.ts";

/** One input tensor of a run. */
export interface InputTensor {
  type: "float32" | "int32";
  data: Float32Array | Int32Array;
  dims: number[];
}

/** Returns a batch as input tensors of the file, by name. */
export const onnxInputs = (
  shape: FeatureShape,
  batch: FeatureBatch,
): Record<Exclude<keyof FeatureBatch, "count">, InputTensor> => ({
  dense: { type: "float32", data: batch.dense, dims: [batch.count, shape.dense.length] },
  pair: { type: "float32", data: batch.pair, dims: [batch.count, shape.history, shape.pair.length] },
  event: { type: "float32", data: batch.event, dims: [shape.history, shape.event.length] },
  category: { type: "int32", data: batch.category, dims: [batch.count] },
  historyCategory: { type: "int32", data: batch.historyCategory, dims: [shape.history] },
  moment: { type: "int32", data: batch.moment, dims: [momentLength] },
});

/** Returns a batch of `count` candidates from input values by name; a missing input is empty. */
export const batchFromInputs = (
  count: number,
  inputs: Readonly<Record<string, readonly number[]>>,
): FeatureBatch => ({
  count,
  dense: Float32Array.from(inputs.dense ?? []),
  pair: Float32Array.from(inputs.pair ?? []),
  event: Float32Array.from(inputs.event ?? []),
  category: Int32Array.from(inputs.category ?? []),
  historyCategory: Int32Array.from(inputs.historyCategory ?? []),
  moment: Int32Array.from(inputs.moment ?? []),
});
