import type { FeatureBatch, FeatureShape } from "../features/batch.ts";
import { Random } from "../train/random.ts";

/** Returns a batch of plausible random inputs, for golden vectors and tests. The same seed gives the same batch. */
export function randomBatch(shape: FeatureShape, count: number, seed: number): FeatureBatch {
  const random = new Random(seed);
  const rounded = (): number => Math.round(random.normal() * 1000) / 1000;
  const event = Float32Array.from({ length: shape.history * shape.event.length }, rounded);
  // The first half of the history holds events; the second half is empty.
  const present = shape.event.indexOf("present");
  for (let i = 0; i < shape.history; i++)
    event[i * shape.event.length + present] = i < shape.history / 2 ? 1 : 0;
  return {
    count,
    dense: Float32Array.from({ length: count * shape.dense.length }, rounded),
    pair: Float32Array.from({ length: count * shape.history * shape.pair.length }, rounded),
    event,
    category: Int32Array.from({ length: count }, () => random.below(shape.categories)),
    historyCategory: Int32Array.from({ length: shape.history }, () => random.below(shape.categories)),
    moment: Int32Array.from([random.below(24), 24 + random.below(7)]),
  };
}
