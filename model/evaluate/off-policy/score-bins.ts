import type { ListInPlay, LoggedProduct } from "./list-in-play.ts";

/** Bins of the scores of products, and of the levels of lists. */
const scoreBinCount = 32;
const levelCount = 4;
export const binCount = scoreBinCount * levelCount;
/** Numbers of {@link ScoreBins.limits}. */
export const limitCount = scoreBinCount - 1 + levelCount - 1;

/**
 * Bins of products that attract alike: those of about the same score, in lists of about the same level. The level of a list is
 * the mean logarithm of the scores of its first products. It is part of a bin because a model may be wrong about all products
 * of a list: then products of one score at different positions do not attract alike, since they are of different lists.
 */
export class ScoreBins {
  /** Upper limits of all score bins but the last, then those of the levels. */
  readonly limits: Float64Array;

  constructor(limits: Float64Array) {
    this.limits = limits;
  }

  /** Returns bins that have about the same number of products of some lists. */
  static of(lists: readonly ListInPlay[]): ScoreBins {
    const scores = lists.flatMap(({ inPlay, length }) => inPlay.slice(0, length).map(({ score }) => score));
    return new ScoreBins(
      Float64Array.of(...quantiles(scores, scoreBinCount), ...quantiles(lists.map(levelOf), levelCount)),
    );
  }

  /** Returns the index of the bins of a list's products, by product. */
  binsOf(list: ListInPlay): (product: LoggedProduct) => number {
    const scoreLimits = this.limits.subarray(0, scoreBinCount - 1);
    const first = scoreBinCount * indexOf(this.limits.subarray(scoreBinCount - 1), levelOf(list));
    return ({ score }) => first + indexOf(scoreLimits, score);
  }
}

const levelOf = ({ inPlay, length }: ListInPlay): number => {
  const best = inPlay.slice(0, length);
  return best.reduce((sum, { score }) => sum + Math.log(Math.max(score, 1e-12)), 0) / best.length;
};

/** Returns the values that divide the sorted values into `parts` of about the same length. */
function quantiles(values: readonly number[], parts: number): number[] {
  const sorted = Float64Array.from(values).sort();
  return Array.from(
    { length: parts - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / parts)] ?? 0,
  );
}

/** Returns how many of the ascending limits a value exceeds. */
function indexOf(limits: Float64Array, value: number): number {
  let [low, high] = [0, limits.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > limits[middle]) low = middle + 1;
    else high = middle;
  }
  return low;
}
