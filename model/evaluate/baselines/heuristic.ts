import { popularityByItem, popularityNear } from "./popularity.ts";
import { visitByRecency } from "./recency.ts";
import { addAllTransitions, addOwnTransitions, allTransitions } from "./transitions.ts";
import type { TunedMethod } from "./tuned-method.ts";
import type { Question } from "./user-choices.ts";

/** Returns hours between two local hours, the shorter way around the clock: 0 to 12. */
const hoursBetween = (a: number, b: number): number => {
  const difference = Math.abs(a - b);
  return Math.min(difference, 24 - difference);
};

/** Adds the shares of the user's choices, weighted by recency and more if they were made at this hour. */
function addUsualAtHour(
  scores: Float64Array,
  question: Question,
  { halfLife, hourWeight, hourWidth }: { halfLife: number; hourWeight: number; hourWidth: number },
): void {
  const { hours } = question.choices;
  const found: [item: number, weight: number][] = [];
  let total = 0;
  visitByRecency(question, halfLife, (item, weight, position) => {
    const distance = hoursBetween(hours[position], question.hour) / hourWidth;
    const weighted = weight * (1 + hourWeight * Math.exp((-distance * distance) / 2));
    found.push([item, weighted]);
    total += weighted;
  });
  for (const [item, weight] of found) scores[item] += weight / total;
}

/**
 * A heuristic with six parameters:
 * - `halfLife`: choices after which a choice weighs half;
 * - `hourWeight` and `hourWidth`: how much more choices of this hour weigh, and the width of the Gaussian kernel in hours;
 * - `own` and `all`: weights of what followed the last choice, for the user and for all users;
 * - `near`: weight of popularity, divided by one plus the kilometers from the user's last location.
 */
export const heuristic: TunedMethod<"halfLife" | "hourWeight" | "hourWidth" | "own" | "all" | "near"> = {
  name: "heuristic",
  values: {
    halfLife: [5, 10, 20, 40, 80, 160, 320],
    hourWeight: [0, 0.5, 1, 2, 4, 8, 16, 32, 64, 128],
    hourWidth: [0.5, 0.75, 1, 1.5, 2, 3, 4],
    own: [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3],
    all: [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1],
    near: [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
  },
  start: { halfLife: 80, hourWeight: 8, hourWidth: 1.5, own: 0.75, all: 0.3, near: 0.03 },
  fit(dataset, past) {
    const transitions = allTransitions(past);
    const addNear = popularityNear(dataset, popularityByItem(dataset, past));
    return (scores, question, parameters) => {
      addUsualAtHour(scores, question, parameters);
      addOwnTransitions(scores, question, 1, parameters.own);
      addAllTransitions(scores, question, transitions, parameters.all);
      addNear(scores, question, parameters.near);
    };
  },
};
