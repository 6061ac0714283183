import { type FeatureBatch, type FeatureShape, momentParts } from "../features/batch.ts";

/** One input of a run. */
export interface InputTensor {
  type: "float32" | "int32";
  data: Float32Array | Int32Array;
  dims: number[];
}

/** A batch as the inputs of the file, by name. */
export const inputsOf = (
  shape: FeatureShape,
  batch: FeatureBatch,
): Record<Exclude<keyof FeatureBatch, "count">, InputTensor> => ({
  dense: { type: "float32", data: batch.dense, dims: [batch.count, shape.dense.length] },
  pair: { type: "float32", data: batch.pair, dims: [batch.count, shape.history, shape.pair.length] },
  event: { type: "float32", data: batch.event, dims: [shape.history, shape.event.length] },
  category: { type: "int32", data: batch.category, dims: [batch.count] },
  historyCategory: { type: "int32", data: batch.historyCategory, dims: [shape.history] },
  moment: { type: "int32", data: batch.moment, dims: [momentParts] },
});

/** A batch of numbers by the names of the inputs; what is absent is empty. */
export const batchOf = (
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
