import type { CandidateRequest } from "../../shared/contracts/retrieval.ts";
import type { CandidateQuery } from "./candidate-query.ts";
import { firstStageQueryOf } from "./first-stage-query.ts";
import { lastChoicesWithNextProducts } from "./last-choices.ts";
import { likelyRepeats } from "./likely-repeats.ts";

/**
 * Returns the request for the candidates of a recommendation. `withProfile: false` leaves out the products that the
 * user's history leads to; those that the query names stay. `profileTimeoutMs` limits the wait for these products; null waits for all.
 */
export const candidateRequestOf = (
  query: CandidateQuery,
  withProfile = true,
  profileTimeoutMs: number | null = null,
): CandidateRequest => ({
  near: firstStageQueryOf(query),
  chosen: withProfile
    ? [...likelyRepeats(query.profile, query.now), ...(query.named ?? [])]
    : [...(query.named ?? [])],
  last: withProfile ? lastChoicesWithNextProducts(query.profile) : [],
  profileTimeoutMs,
});
