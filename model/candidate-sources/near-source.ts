import type { CandidateSource } from "./candidate-source.ts";

/**
 * Finds the best products around the user and their usual places by the first stage, which weighs distance, popularity,
 * novelty and category affinity. Without any location, it finds the world's most popular products.
 */
export const nearSource: CandidateSource = {
  name: "near",
  find: (store, { near }) => store.firstStageCandidates(near),
};
