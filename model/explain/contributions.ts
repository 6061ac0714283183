import { emptyBatch, type FeatureBatch } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import { maxCandidatesPerRun } from "../onnx/inspect/limits.ts";
import { finalScores } from "../pipeline/final-scores.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { Random } from "../train/random.ts";
import { averageCandidate, copyShared, featureGroups } from "./feature-groups.ts";

/** Rows that short lists may take: two runs of the model. */
const usualRows = 2 * maxCandidatesPerRun;
/** Orders in which the groups of one product are exchanged, at most and at least; an even number. */
const maxOrders = 12;
const minOrders = 2;
/** Seed of the orders: the same ranking always has the same contributions. */
const orderSeed = 1;

/** Rows between the average candidate and a product, for one order of the groups. */
const rowsPerOrder = featureGroups.length - 1;

/** Why the model scores some products as it does. */
export interface Contributions {
  /** The model's score of the average candidate. */
  averageScore: number;
  /**
   * For each product, the contribution of each of {@link featureGroups}, in their order. They add up to the difference of
   * the product's score and `averageScore`.
   */
  values: Float64Array[];
}

/** Returns how many orders are used for so many products. */
export const ordersFor = (products: number): number =>
  Math.max(minOrders, Math.min(maxOrders, 2 * Math.floor(usualRows / (products * rowsPerOrder * 2))));

/** Returns how many rows the model scores for the contributions of so many products: 1,601 for 100 products. */
export const rowsFor = (products: number): number =>
  products === 0 ? 0 : 1 + products * ordersFor(products) * rowsPerOrder;

/**
 * Returns sampled Shapley values (Castro, Gómez and Tejada, "Polynomial calculation of the Shapley value based on
 * sampling", 2009) of the feature groups, for the rows `indices` of a ranking. The scores of the model are `scores`. An
 * order of the groups exchanges the features of the average candidate for those of the product, group by group. The
 * change of the score at each step is the group's contribution; it is averaged over random orders and their reverses. The
 * steps of an order add up to the whole difference, so the contributions do too, however few orders are used.
 */
export async function contributionsOf(
  features: FeatureBatch,
  scores: ArrayLike<number>,
  indices: readonly number[],
  ranker: Pick<Ranker, "score">,
): Promise<Contributions> {
  if (indices.length === 0) return { averageScore: 0, values: [] };
  const average = averageCandidate(features);
  const orders = randomOrders(ordersFor(indices.length));
  // Row 0 is the average candidate. Then follow the steps of each order, for one product after the other.
  const stepScores = await scoreRows(rowsFor(indices.length), features, ranker, (batch, row, to) => {
    for (const { copy } of featureGroups) copy(average, 0, batch, to);
    if (row === 0) return;
    const step = (row - 1) % rowsPerOrder;
    const order = orders[Math.floor((row - 1) / rowsPerOrder) % orders.length];
    const index = indices[Math.floor((row - 1) / (rowsPerOrder * orders.length))];
    for (let i = 0; i <= step; i++) featureGroups[order[i]].copy(features, index, batch, to);
  });
  const averageScore = stepScores[0];
  let at = 1;
  const values = indices.map((index) => {
    const sums = new Float64Array(featureGroups.length);
    for (const order of orders) {
      let before = averageScore;
      for (let step = 0; step < order.length; step++) {
        const after = step < rowsPerOrder ? stepScores[at + step] : scores[index];
        sums[order[step]] += after - before;
        before = after;
      }
      at += rowsPerOrder;
    }
    return sums.map((sum) => sum / orders.length);
  });
  return { averageScore, values };
}

/** Returns the final scores of rows that `fill` writes, in as few runs of the model as possible. */
async function scoreRows(
  rows: number,
  shared: FeatureBatch,
  ranker: Pick<Ranker, "score">,
  fill: (batch: FeatureBatch, row: number, to: number) => void,
): Promise<Float32Array> {
  const scores = new Float32Array(rows);
  for (let start = 0; start < rows; start += maxCandidatesPerRun) {
    const batch = emptyBatch(featureShape, Math.min(maxCandidatesPerRun, rows - start));
    copyShared(shared, batch);
    for (let i = 0; i < batch.count; i++) fill(batch, start + i, i);
    scores.set(finalScores(await ranker.score(batch)), start);
  }
  return scores;
}

/** Returns random orders of the groups, each followed by its reverse: groups that interact then share what they gain. */
function randomOrders(count: number): number[][] {
  const random = new Random(orderSeed);
  const orders: number[][] = [];
  while (orders.length < count) {
    const order = Array.from(featureGroups, (_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const other = Math.floor(random.next() * (i + 1));
      [order[i], order[other]] = [order[other], order[i]];
    }
    orders.push(order, order.toReversed());
  }
  return orders;
}
