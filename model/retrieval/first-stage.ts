import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";
import { columnWidth, countOffset, hotOffset } from "../columns/layout.ts";
import { isUntried } from "../columns/untried.ts";
import { hasFewDismissals, hasSmallCounts } from "./hide-small-counts.ts";

/** Weights of the first stage for a ranker without its own weights. */
export const defaultFirstStage: FirstStage = {
  people: 0.7,
  hot: 0.3,
  fresh: 0.7,
  near: 1,
  usual: 1,
  category: 0.3,
  hour: 0.3,
};

/** Distance in km below which proximity hardly grows. */
const proximityScaleKm = 0.2;
/** Distance in km that stands for the unknown distance of a product without a location. */
export const placelessDistanceKm = 3;

/**
 * Returns the proximity at a distance: (scale + km)^-1.5. Distances between a person's consecutive locations follow a
 * power law (exponent 1.59: Brockmann et al., "The Scaling Laws of Human Travel", Nature 439, 2006; 1.75: Gonzalez et
 * al., Nature 453, 2008).
 */
export function proximity(km: number): number {
  const d = proximityScaleKm + km;
  return 1 / (d * Math.sqrt(d));
}

const countsWidth = columnWidth.counts;
const hotWidth = columnWidth.hot;
const peopleOffset = countOffset.people;
const weekOffset = hotOffset.week;
const seasonOffset = hotOffset.season;

/**
 * Returns the inputs of the score that do not depend on the user: the logarithms of people and engagement, and 1 for a
 * product that nobody has chosen or dismissed.
 */
export function productScoreInputs(
  columns: Columns,
  row: number,
): [people: number, hot: number, fresh: number] {
  const people = columns.counts[row * countsWidth + peopleOffset];
  const engagement =
    columns.hot[row * hotWidth + weekOffset] + 0.5 * columns.hot[row * hotWidth + seasonOffset];
  return [Math.log1p(people), Math.log1p(engagement), isUntried(columns, row) ? 1 : 0];
}

/** The inputs of a product whose counts are hidden: whoever chose it were too few. */
const hiddenInputs = (isDismissed: boolean): readonly [number, number, number] =>
  isDismissed ? [0, 0, 0] : [0, 0, 1];

const cachedProductScores = new WeakMap<
  Columns,
  { weights: FirstStage; minUsers: number; scores: Float32Array }
>();

/**
 * Returns the part of the score that does not depend on the user, for all rows of a block. What fewer than `minUsers`
 * users did does not count. The scores are cached per block.
 */
export function productScores(columns: Columns, weights: FirstStage, minUsers: number): Float32Array {
  const cached = cachedProductScores.get(columns);
  if (cached?.minUsers === minUsers && sameWeights(cached.weights, weights)) return cached.scores;
  const scores = new Float32Array(columns.count);
  for (let row = 0; row < columns.count; row++) {
    const [people, hot, fresh] = hasSmallCounts(columns, row, minUsers)
      ? hiddenInputs(!hasFewDismissals(columns, row, minUsers))
      : productScoreInputs(columns, row);
    scores[row] = weights.people * people + weights.hot * hot + weights.fresh * fresh;
  }
  cachedProductScores.set(columns, { weights, minUsers, scores });
  return scores;
}

const sameWeights = (a: FirstStage, b: FirstStage): boolean =>
  a.people === b.people && a.hot === b.hot && a.fresh === b.fresh;
