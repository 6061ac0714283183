import type { CandidateQuery } from "../../shared/contracts/retrieval.ts";
import { leaningsTo } from "../candidate-query/category-affinities.ts";
import { usualPlaces } from "../candidate-query/usual-locations.ts";
import type { Source, SourceQuery } from "./source.ts";

/** What the first stage is asked for a person. */
export const nearQuery = ({
  person,
  point,
  limit,
  filter,
  now,
  hour,
  firstStage,
}: SourceQuery): CandidateQuery => ({
  point,
  usual: usualPlaces(person, now),
  categories: leaningsTo(person),
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
export const near: Source = { name: "near", find: (shelves, query) => shelves.candidates(query.near) };
