/** How a quantity was distributed when it was first looked at: where its parts end, and what share each holds. */
export interface Reference {
  /** Upper ends of all parts but the last, ascending; a value that is equal belongs below. */
  edges: number[];
  /** Share of each part; one more than edges. */
  shares: number[];
}

/** Values and what each counts. */
export interface Weighted {
  values: number[];
  weights: number[];
}

const parts = 10;

/** The part that a value belongs to. */
function partOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (value <= edges[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Shares of values by parts; all 0 where there is none. */
export function sharesOf(edges: readonly number[], { values, weights }: Weighted): number[] {
  const shares = new Array<number>(edges.length + 1).fill(0);
  let total = 0;
  values.forEach((value, i) => {
    shares[partOf(edges, value)] += weights[i];
    total += weights[i];
  });
  return total === 0 ? shares : shares.map((share) => share / total);
}

/** Parts of about equal weight, fewer where values repeat: what later days are held against. */
export function referenceOf(given: Weighted): Reference {
  const order = given.values.map((_, i) => i).sort((a, b) => given.values[a] - given.values[b]);
  const total = given.weights.reduce((sum, weight) => sum + weight, 0);
  const edges: number[] = [];
  let mass = 0;
  for (const i of order) {
    mass += given.weights[i];
    const value = given.values[i];
    if (mass >= (total * (edges.length + 1)) / parts && edges.length < parts - 1 && value !== edges.at(-1))
      edges.push(value);
  }
  // The last part would be empty where the largest value repeats: what is beyond it has a part of its own.
  return { edges, shares: sharesOf(edges, given) };
}

/** What an empty part counts for: else one value in a part that was empty would be infinitely strange. */
const minShare = 1e-3;

/**
 * Population stability index of two distributions over the same parts: Σ (p - q) ln(p / q), the symmetric Kullback-Leibler
 * divergence (N. Siddiqi, "Credit Risk Scorecards", 2006). Below .1 little has changed; above .25 much.
 */
export function stabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  return expected.reduce((sum, share, i) => {
    const q = Math.max(minShare, share);
    const p = Math.max(minShare, actual[i] ?? 0);
    return sum + (p - q) * Math.log(p / q);
  }, 0);
}
