import type { FirstStageQuery } from "../../shared/contracts/retrieval.ts";
import type { CandidateQuery } from "./candidate-query.ts";
import { categoryAffinities } from "./category-affinities.ts";
import { usualLocations } from "./usual-locations.ts";

/** Returns what the first stage is asked for a user. */
export const firstStageQueryOf = ({
  profile,
  point,
  limit,
  filter,
  now,
  hour,
  firstStage,
}: CandidateQuery): FirstStageQuery => ({
  point,
  usual: usualLocations(profile, now),
  categories: categoryAffinities(profile),
  hour,
  limit,
  filter,
  now,
  weights: firstStage,
});
