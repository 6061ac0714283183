import type { FeatureShape, TrainingList } from "../features/batch.ts";
import type { Parameters } from "../network/parameters.ts";

/** Smallest standard deviation used for scaling, so that an almost constant feature is not amplified. */
const minDeviation = 0.05;

/** A feature that varies less than this over all lists is constant, but for rounding. */
const maxConstantVariance = 1e-9;

/** Sets the parameters `mean` and `scale`: mean and inverse standard deviation of each dense feature over
 * the lists. A feature that is constant in them has scale 0: its weights are not trained, so it must not decide when it varies later. */
export function setInputStatistics(
  parameters: Parameters,
  shape: FeatureShape,
  lists: readonly TrainingList[],
): void {
  const width = shape.dense.length;
  const sum = new Float64Array(width);
  const squares = new Float64Array(width);
  let count = 0;
  for (const { batch } of lists) {
    count += batch.count;
    for (let i = 0; i < batch.dense.length; i++) {
      sum[i % width] += batch.dense[i];
      squares[i % width] += batch.dense[i] * batch.dense[i];
    }
  }
  const mean = parameters.get("mean")?.data;
  const scale = parameters.get("scale")?.data;
  if (!mean || !scale || count === 0) return;
  for (let i = 0; i < width; i++) {
    mean[i] = sum[i] / count;
    const variance = Math.max(0, squares[i] / count - mean[i] * mean[i]);
    scale[i] =
      variance < maxConstantVariance * Math.max(1, mean[i] * mean[i])
        ? 0
        : 1 / Math.max(minDeviation, Math.sqrt(variance));
  }
}
