import type { DecidedFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage, ProductRef } from "../../shared/contracts/retrieval.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import type { CandidateCaps } from "../retrieval/candidate-caps.ts";

/** A query for candidates: the user, their location and the moment. */
export interface CandidateQuery {
  profile: ReadonlyProfile;
  point: Point | null;
  /** Seconds since the epoch. */
  now: number;
  /** Local hour (0-23) at the user's location. */
  hour: number;
  filter: DecidedFilter;
  /** Ids of the products that may be candidates; absent for all. */
  only?: readonly string[];
  /** Products that are candidates if they match, however they rank. */
  named?: readonly ProductRef[];
  /** Products that are no candidates. */
  exclude?: readonly string[];
  /** Categories whose products are no candidates. */
  excludeCategories?: readonly string[];
  /** Weights of the first stage. */
  firstStage: FirstStage;
  /** Candidates to return, at most. */
  limit: number;
  /** The category that the user is looking for now; null or absent if it is none in particular. */
  wantedCategory?: string | null;
  /** Whether what few users did is hidden. */
  hidesSmallCounts?: boolean;
  /** How many candidates one group of variants and one category may be. */
  caps?: CandidateCaps;
}
