import { maxChoicesRead } from "./recency.ts";
import type { ChoicesByUser, Question } from "./user-choices.ts";

/** Pseudo-counts that smooth the shares of what followed: for one user, and for all users. */
const userSmoothing = 2;
const allSmoothing = 5;

/**
 * Adds `scale` times the share of each item among what followed the user's last `order` choices (1 or 2) in the user's own
 * choices.
 */
export function addOwnTransitions(
  scores: Float64Array,
  { choices: { items }, count }: Question,
  order: 1 | 2,
  scale: number,
): void {
  if (count <= order || scale === 0) return;
  const next: number[] = [];
  for (let k = Math.max(order - 1, count - maxChoicesRead); k < count - 1; k++)
    if (items[k] === items[count - 1] && (order === 1 || items[k - 1] === items[count - 2]))
      next.push(items[k + 1]);
  for (const item of next) scores[item] += scale / (next.length + userSmoothing);
}

/** How often all users chose an item right after another, by both item indexes. */
export type AllTransitions = Map<number, Map<number, number>>;

/** Counts the transitions of all users. */
export function allTransitions(past: ChoicesByUser): AllTransitions {
  const transitions: AllTransitions = new Map();
  for (const { items } of past.all().values())
    for (let k = 1; k < items.length; k++) {
      const from = transitions.get(items[k - 1]) ?? new Map<number, number>();
      transitions.set(items[k - 1], from);
      from.set(items[k], (from.get(items[k]) ?? 0) + 1);
    }
  return transitions;
}

/** Adds `scale` times the share of each item among what followed the user's last choice in the choices of all users. */
export function addAllTransitions(
  scores: Float64Array,
  { choices: { items }, count }: Question,
  transitions: AllTransitions,
  scale: number,
): void {
  const next = count > 0 ? transitions.get(items[count - 1]) : undefined;
  if (!next || scale === 0) return;
  let total = allSmoothing;
  for (const times of next.values()) total += times;
  for (const [item, times] of next) scores[item] += (scale * times) / total;
}
