import type { DriftDay } from "../../shared/contracts/model.ts";
import type { FeatureShape } from "../features/batch.ts";
import { unpackFeatures } from "../features/pack-features.ts";
import { purchaseValue } from "../pipeline/final-scores.ts";
import { type Corrections, isEngagement, type LoggedExample } from "../recalibrate/logged-examples.ts";
import {
  bucketShares,
  type ReferenceDistribution,
  referenceDistribution,
  stabilityIndex,
  type WeightedValues,
} from "./histogram.ts";

/** The distribution of each feature and of `score` on the first day of a model version, by name. */
export type ReferenceDistributions = Record<string, ReferenceDistribution>;

/** The highest list position with a click rate of its own. */
const maxPosition = 20;
const scoreName = "score";
const calibrationBins = 10;

/** The rows that users saw from one version on one day: one value per row in each array, in the same order. */
interface ShownRows {
  score: number[];
  /** The value of the outcome: 1 for an engagement, {@link purchaseValue} more for a purchase. */
  value: number[];
  position: number[];
  /** Whether the user clicked, added to the cart or purchased. */
  wanted: boolean[];
  weights: number[];
  features: Map<string, number[]>;
}

function shownRowsOf(
  shape: FeatureShape,
  examples: readonly LoggedExample[],
  corrections: Corrections,
): ShownRows {
  const shown: ShownRows = {
    ...{ score: [], value: [], position: [], wanted: [], weights: [] },
    features: new Map(shape.dense.map((name) => [name, []])),
  };
  const lists = shape.dense.map((name) => shown.features.get(name) as number[]);
  for (const example of examples) {
    const batch = unpackFeatures(shape, example.features);
    if (batch === null) continue;
    example.rows.forEach(({ position, score, product, outcome }, row) => {
      if (position === 0) return;
      const finalOutcome = corrections.outcomeOf(example.id, product, outcome);
      shown.score.push(score);
      shown.value.push(
        (isEngagement(finalOutcome) ? 1 : 0) + (finalOutcome === "purchase" ? purchaseValue : 0),
      );
      shown.position.push(position);
      shown.wanted.push(finalOutcome === "click" || finalOutcome === "cart" || finalOutcome === "purchase");
      shown.weights.push(example.weight);
      lists.forEach((list, i) => void list.push(batch.dense[row * shape.dense.length + i]));
    });
  }
  return shown;
}

/**
 * Returns the mean predicted value (`said`), the mean observed value (`came`) and the mean absolute difference of the
 * two over ten bins. Rows are binned by predicted value, with about the same weight in each bin.
 */
function calibrationFigures({ score, value, weights }: ShownRows): DriftDay["calibration"] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = score.map((_, i) => i).sort((a, b) => score[a] - score[b]);
  const sums = { predicted: 0, observed: 0, error: 0 };
  let bin = { predicted: 0, observed: 0, mass: 0 };
  order.forEach((i, at) => {
    bin.predicted += weights[i] * score[i];
    bin.observed += weights[i] * value[i];
    bin.mass += weights[i];
    if (bin.mass < total / calibrationBins && at < order.length - 1) return;
    sums.predicted += bin.predicted;
    sums.observed += bin.observed;
    sums.error += Math.abs(bin.predicted - bin.observed);
    bin = { predicted: 0, observed: 0, mass: 0 };
  });
  return { said: sums.predicted / total, came: sums.observed / total, error: sums.error / total };
}

/** Returns the value below which `share` (0 to 1) of the weight lies; NaN without values. */
function quantile({ values, weights }: WeightedValues, share: number): number {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  for (const i of order) {
    mass += weights[i];
    if (mass >= share * total) return values[i];
  }
  return values[order[order.length - 1]] ?? Number.NaN;
}

/**
 * Returns the drift of one version on one day against its first day; without `references`, this day is the first.
 * Returns null if no row was shown. A row counts with the weight of its example, which compensates for impressions that
 * sampling left out.
 */
export function dailyDrift(
  shape: FeatureShape,
  examples: readonly LoggedExample[],
  corrections: Corrections,
  references: ReferenceDistributions | null,
): { figures: Omit<DriftDay, "day">; references: ReferenceDistributions } | null {
  const shown = shownRowsOf(shape, examples, corrections);
  const { weights, score } = shown;
  if (score.length === 0) return null;
  const all: [string, number[]][] = [...shown.features, [scoreName, score]];
  const first =
    references ??
    Object.fromEntries(all.map(([name, values]) => [name, referenceDistribution({ values, weights })]));
  const stability = all.flatMap(([name, values]): [string, number][] => {
    const reference = first[name];
    return reference
      ? [[name, stabilityIndex(reference.shares, bucketShares(reference.edges, { values, weights }))]]
      : [];
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const byPosition = Array.from({ length: maxPosition }, (_, i) => {
    let shownWeight = 0;
    let wantedWeight = 0;
    shown.position.forEach((position, row) => {
      if (position !== i + 1) return;
      shownWeight += weights[row];
      if (shown.wanted[row]) wantedWeight += weights[row];
    });
    return {
      position: i + 1,
      shown: shownWeight,
      rate: shownWeight === 0 ? 0 : wantedWeight / shownWeight,
    };
  });
  const scores: WeightedValues = { values: score, weights };
  return {
    references: first,
    figures: {
      examples: examples.length,
      stability: Object.fromEntries(stability.filter(([name]) => name !== scoreName)),
      score: {
        mean: score.reduce((sum, each, i) => sum + each * weights[i], 0) / total,
        p10: quantile(scores, 0.1),
        p50: quantile(scores, 0.5),
        p90: quantile(scores, 0.9),
        stability: Object.fromEntries(stability)[scoreName] ?? 0,
      },
      calibration: calibrationFigures(shown),
      positions: byPosition.filter((each) => each.shown > 0),
    },
  };
}
