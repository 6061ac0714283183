import type { CandidateSource } from "./source.ts";

/**
 * What is near where the person is and where they usually are, popular or new, and like what they chose before and what
 * is chosen at this hour: the first stage's cut of all that is there. The world's popular where nothing is known of where they are.
 */
export const near: CandidateSource = { name: "near", find: (store, query) => store.firstStage(query.near) };
