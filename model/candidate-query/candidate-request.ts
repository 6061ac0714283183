import type { CandidateRequest } from "../../shared/contracts/retrieval.ts";
import type { CandidateQuery } from "./candidate-query.ts";
import { firstStageQueryOf } from "./first-stage-query.ts";
import { lastChoicesWithTransitions } from "./last-choices.ts";
import { likelyRepeats } from "./likely-repeats.ts";

/**
 * Returns what a recommendation asks the location service for. `withProfile: false` leaves out the products that the
 * user's history leads to; `withinMs` bounds the wait for those, null waits for all.
 */
export const candidateRequestOf = (
  query: CandidateQuery,
  withProfile = true,
  withinMs: number | null = null,
): CandidateRequest => ({
  near: firstStageQueryOf(query),
  chosen: withProfile ? likelyRepeats(query.profile, query.now) : [],
  last: withProfile ? lastChoicesWithTransitions(query.profile) : [],
  withinMs,
});
