import { invertPositiveDefinite } from "./invert-positive-definite.ts";
import { addRecentShares } from "./recency.ts";
import type { TunedMethod } from "./tuned-method.ts";
import type { Question } from "./user-choices.ts";
import { distinctItems, usersOfItems } from "./users-of-items.ts";

/** Users that EASE learns from, those with the most distinct items: the inverse takes the cube of their number. */
const maxUsers = 1500;

/**
 * Returns a function that scores all items for a user's items by EASE^R (Steck, WWW 2019). With X (users by items, 0 or 1)
 * and P = (X^T X + lambda I)^-1, the weights are B_ij = -P_ij / P_jj and B_jj = 0; the scores of the items x are x B.
 *
 * There are fewer users than items here, so the users' matrix M = (X X^T + lambda I)^-1 is inverted instead. By the identity
 * of Woodbury P = (I - X^T M X) / lambda, which is exact for the whole catalog.
 */
export function easeScorer(
  itemsOfUsers: readonly (readonly number[])[],
  items: number,
  lambda: number,
): (itemsOfUser: readonly number[]) => Float64Array {
  const users = itemsOfUsers.length;
  const usersOf = usersOfItems(itemsOfUsers, items);
  const gram = new Float64Array(users * users);
  for (const each of usersOf) for (const u of each) for (const v of each) gram[u * users + v]++;
  for (let u = 0; u < users; u++) gram[u * users + u] += lambda;
  const inverse = invertPositiveDefinite(gram, users);
  /** lambda P_jj = 1 - the sum of M over all pairs of users who have j. */
  const diagonal = Float64Array.from(usersOf, (each) => {
    let sum = 0;
    for (const u of each) for (const v of each) sum += inverse[u * users + v];
    return 1 - sum;
  });
  return (itemsOfUser) => {
    const common = new Float64Array(users);
    for (const item of itemsOfUser) for (const user of usersOf[item]) common[user]++;
    const solved = new Float64Array(users);
    for (let u = 0; u < users; u++)
      if (common[u] !== 0) for (let v = 0; v < users; v++) solved[v] += common[u] * inverse[u * users + v];
    /** The rows of lambda x P, negative: x^T M X x less x itself. */
    const scores = new Float64Array(items);
    for (let u = 0; u < users; u++) for (const item of itemsOfUsers[u]) scores[item] += solved[u];
    for (const item of itemsOfUser) scores[item] -= 1;
    for (let j = 0; j < items; j++) scores[j] /= diagonal[j];
    // B_jj is 0, not -1: an item of the user's does not speak against itself.
    for (const item of itemsOfUser) scores[item] += 1;
    return scores;
  };
}

/**
 * EASE^R on all items, from at most {@link maxUsers} users. Since B leaves out an item's own choices, `own` weighs the
 * shares of the user's choices by recency (`halfLife` in choices).
 */
export const ease: TunedMethod<"lambda" | "own" | "halfLife"> = {
  name: "ease",
  values: {
    lambda: [5, 20, 50, 100, 200, 500, 1000, 2000, 5000],
    own: [0, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128],
    halfLife: [5, 10, 20, 40, 80, 160, 320],
  },
  start: { lambda: 100, own: 2, halfLife: 40 },
  fit(dataset, past) {
    const itemsOfUsers = [...past.all().values()]
      .map((each) => distinctItems(each, each.items.length))
      .sort((a, b) => b.length - a.length)
      .slice(0, maxUsers);
    const scorers = new Map<number, ReturnType<typeof easeScorer>>();
    // The search asks the same questions with other weights of the user's own choices.
    const answers = new WeakMap<Question, { lambda: number; scores: Float64Array }>();
    return (scores, question, { lambda, own, halfLife }) => {
      let answer = answers.get(question);
      if (answer?.lambda !== lambda) {
        const scorer = scorers.get(lambda) ?? easeScorer(itemsOfUsers, dataset.items.size, lambda);
        scorers.set(lambda, scorer);
        answer = { lambda, scores: scorer(distinctItems(question.choices, question.count)) };
        answers.set(question, answer);
      }
      for (let i = 0; i < scores.length; i++) scores[i] += answer.scores[i];
      addRecentShares(scores, question, halfLife, own);
    };
  },
};
