import type { FirstStageQuery } from "../../shared/contracts/retrieval.ts";
import { categoryAffinities } from "../candidate-query/category-affinities.ts";
import { usualLocations } from "../candidate-query/usual-locations.ts";
import type { CandidateQuery, CandidateSource } from "./source.ts";

/** What the first stage is asked for a person. */
export const firstStageQueryOf = ({
  profile: person,
  point,
  limit,
  filter,
  now,
  hour,
  firstStage,
}: CandidateQuery): FirstStageQuery => ({
  point,
  usual: usualLocations(person, now),
  categories: categoryAffinities(person),
  hour,
  limit,
  filter,
  now,
  weights: firstStage,
});

/**
 * What is near where the person is and where they usually are, popular or new, and like what they chose before and what
 * is chosen at this hour: the first stage's cut of all that is there. The world's popular where nothing is known of where they are.
 */
export const near: CandidateSource = { name: "near", find: (store, query) => store.firstStage(query.near) };
