/** A histogram of a quantity on its first day, with buckets of about equal weight. */
export interface ReferenceDistribution {
  /** Upper bounds (inclusive) of all buckets but the last, ascending. */
  edges: number[];
  /** Share of the weight in each bucket; one element more than `edges`. */
  shares: number[];
}

/** Values and the weight of each. */
export interface WeightedValues {
  values: number[];
  weights: number[];
}

/** Largest number of buckets in a histogram. */
const bucketCount = 10;

/** Returns the index of the bucket that holds the value. */
function bucketOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= edges[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Returns the share of the weight in each bucket; all 0 if the total weight is 0. */
export function bucketShares(edges: readonly number[], { values, weights }: WeightedValues): number[] {
  const shares = new Array<number>(edges.length + 1).fill(0);
  let total = 0;
  values.forEach((value, i) => {
    shares[bucketOf(edges, value)] += weights[i];
    total += weights[i];
  });
  return total === 0 ? shares : shares.map((share) => share / total);
}

/** Returns a histogram of at most ten buckets of about equal weight; fewer if values repeat. */
export function referenceDistribution({ values, weights }: WeightedValues): ReferenceDistribution {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const edges: number[] = [];
  let mass = 0;
  for (const i of order) {
    mass += weights[i];
    const value = values[i];
    if (
      mass >= (total * (edges.length + 1)) / bucketCount &&
      edges.length < bucketCount - 1 &&
      value !== edges.at(-1)
    )
      edges.push(value);
  }
  // If the largest value repeats, the last bucket is empty: it is there for larger values of later days.
  return { edges, shares: bucketShares(edges, { values, weights }) };
}

/**
 * The share that an empty bucket counts as. With 0, one value in a formerly empty bucket would make the index infinite.
 */
const minShare = 1e-3;

/**
 * Returns the population stability index of two distributions over the same buckets: Σ (p - q) ln(p / q), the symmetric
 * Kullback-Leibler divergence (N. Siddiqi, "Credit Risk Scorecards", 2006). Below 0.1 means little change; above 0.25
 * means much.
 */
export function stabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  return expected.reduce((sum, share, i) => {
    const q = Math.max(minShare, share);
    const p = Math.max(minShare, actual[i] ?? 0);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}
