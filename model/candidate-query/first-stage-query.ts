import type { FirstStageQuery } from "../../shared/contracts/retrieval.ts";
import type { CandidateQuery } from "./candidate-query.ts";
import { categoryAffinities } from "./category-affinities.ts";
import { usualPlaces } from "./usual-places.ts";

/** Returns the query of the first stage for a user. */
export const firstStageQueryOf = ({
  profile,
  point,
  limit,
  filter,
  exclude,
  excludeCategories,
  caps,
  now,
  hour,
  firstStage,
  hidesSmallCounts,
  wantedCategory,
}: CandidateQuery): FirstStageQuery => ({
  point,
  usual: usualPlaces(profile, now),
  categories: categoryAffinities(profile, wantedCategory),
  hour,
  limit,
  filter,
  ...(exclude ? { exclude: [...exclude] } : {}),
  ...(excludeCategories ? { excludeCategories: [...excludeCategories] } : {}),
  ...(caps ? { caps } : {}),
  ...(hidesSmallCounts ? { hidesSmallCounts } : {}),
  now,
  weights: firstStage,
});
