import type { Question } from "./user-choices.ts";

/** Choices that a method reads of one user, the newest. */
export const maxChoicesRead = 2000;
/** Weight below which older choices are left out. */
const minWeight = 1e-4;

/**
 * Calls `visit` for the user's choices, newest first, with the item, the weight 2^(-age / halfLife) and the position. The age
 * is the number of later choices.
 */
export function visitByRecency(
  { choices, count }: Question,
  halfLife: number,
  visit: (item: number, weight: number, position: number) => void,
): void {
  const decay = 2 ** (-1 / halfLife);
  const oldest = Math.max(0, count - maxChoicesRead);
  for (let k = count - 1, weight = 1; k >= oldest && weight >= minWeight; k--, weight *= decay)
    visit(choices.items[k], weight, k);
}

/** Adds `scale` times the share of each item among the user's choices, weighted by recency. */
export function addRecentShares(
  scores: Float64Array,
  question: Question,
  halfLife: number,
  scale: number,
): void {
  let total = 0;
  visitByRecency(question, halfLife, (_, weight) => {
    total += weight;
  });
  visitByRecency(question, halfLife, (item, weight) => {
    scores[item] += (scale * weight) / total;
  });
}
