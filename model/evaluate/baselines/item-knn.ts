import { addRecentShares, visitByRecency } from "./recency.ts";
import type { TunedMethod } from "./tuned-method.ts";
import { distinctItems, usersOfItems } from "./users-of-items.ts";

/** An item that was chosen by the same users, and the similarity: 0 to 1. */
export type Neighbor = readonly [item: number, similarity: number];

/** Neighbors that are kept of one item. */
const maxNeighbors = 200;

/**
 * Returns a function from an item to its neighbors, most similar first. The similarity is the cosine of the two items' users
 * with shrinkage: common users / (sqrt(users of one * users of the other) + shrinkage) (Ferrari Dacrema et al., RecSys 2019).
 */
export function neighborsByItem(
  itemsOfUsers: readonly (readonly number[])[],
  items: number,
): (item: number, shrinkage: number) => readonly Neighbor[] {
  const users = usersOfItems(itemsOfUsers, items);
  const known = new Map<number, Map<number, Neighbor[]>>();
  const common = new Float64Array(items);
  const compute = (item: number, shrinkage: number): Neighbor[] => {
    const others: number[] = [];
    for (const user of users[item])
      for (const other of itemsOfUsers[user]) if (common[other]++ === 0) others.push(other);
    const neighbors = others
      .filter((other) => other !== item)
      .map((other): Neighbor => {
        const cosineDivisor = Math.sqrt(users[item].length * users[other].length);
        return [other, common[other] / (cosineDivisor + shrinkage)];
      });
    for (const other of others) common[other] = 0;
    return neighbors.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, maxNeighbors);
  };
  return (item, shrinkage) => {
    const ofShrinkage = known.get(shrinkage) ?? new Map<number, Neighbor[]>();
    known.set(shrinkage, ofShrinkage);
    const neighbors = ofShrinkage.get(item) ?? compute(item, shrinkage);
    ofShrinkage.set(item, neighbors);
    return neighbors;
  };
}

/**
 * Item-kNN: the similarity to the user's choices, weighted by recency (`halfLife` in choices), over the `neighbors` nearest
 * of each choice. `own` weighs the choices themselves, which the similarity leaves out.
 */
export const itemKnn: TunedMethod<"shrinkage" | "neighbors" | "halfLife" | "own"> = {
  name: "itemKnn",
  values: {
    shrinkage: [0, 1, 2, 5, 10, 20, 50],
    neighbors: [5, 10, 20, 50, 100, maxNeighbors],
    halfLife: [1, 2, 5, 10, 20, 40, 80, 160, 320],
    own: [0, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64],
  },
  start: { shrinkage: 5, neighbors: 50, halfLife: 40, own: 1 },
  fit(dataset, past) {
    const itemsOfUsers = [...past.all().values()].map((each) => distinctItems(each, each.items.length));
    const neighborsOf = neighborsByItem(itemsOfUsers, dataset.items.size);
    return (scores, question, { shrinkage, neighbors, halfLife, own }) => {
      const weights = new Map<number, number>();
      let total = 0;
      visitByRecency(question, halfLife, (item, weight) => {
        weights.set(item, (weights.get(item) ?? 0) + weight);
        total += weight;
      });
      for (const [item, weight] of weights) {
        const nearest = neighborsOf(item, shrinkage);
        for (let n = 0; n < Math.min(neighbors, nearest.length); n++)
          scores[nearest[n][0]] += (weight / total) * nearest[n][1];
      }
      addRecentShares(scores, question, halfLife, own);
    };
  },
};
