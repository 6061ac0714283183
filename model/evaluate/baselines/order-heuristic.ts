import { popularityByItem } from "./popularity.ts";
import { addRecentShares } from "./recency.ts";
import { addAllTransitions, addOwnTransitions, allTransitions } from "./transitions.ts";
import type { TunedMethod } from "./tuned-method.ts";

/**
 * A heuristic that reads neither clock nor map, only the order of choices:
 * - `halfLife`: choices after which a choice weighs half;
 * - `own` and `ownPair`: weights of what followed the user's last choice, and the last two;
 * - `all`: weight of what followed the last choice for all users;
 * - `popular`: weight of popularity.
 */
export const orderHeuristic: TunedMethod<"halfLife" | "own" | "ownPair" | "all" | "popular"> = {
  name: "orderHeuristic",
  values: {
    halfLife: [5, 10, 20, 40, 80, 160, 320],
    own: [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3],
    ownPair: [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3],
    all: [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1],
    popular: [0, 0.001, 0.003, 0.01, 0.03, 0.1],
  },
  start: { halfLife: 80, own: 0.75, ownPair: 0.5, all: 0.3, popular: 0.001 },
  fit(dataset, past) {
    const transitions = allTransitions(past);
    const popularity = popularityByItem(dataset, past);
    return (scores, question, { halfLife, own, ownPair, all, popular }) => {
      addRecentShares(scores, question, halfLife, 1);
      addOwnTransitions(scores, question, 1, own);
      addOwnTransitions(scores, question, 2, ownPair);
      addAllTransitions(scores, question, transitions, all);
      for (let i = 0; i < scores.length; i++) scores[i] += popular * popularity[i];
    };
  },
};
