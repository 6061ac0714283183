import type { ProductFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { UserProfile } from "../profile/profile.ts";

/** Whom candidates are wanted for, and where. */
export interface CandidateQuery {
  profile: UserProfile;
  point: Point | null;
  /** Seconds since the epoch. */
  now: number;
  /** Hour (0-23) on the clocks of the place. */
  hour: number;
  filter: ProductFilter;
  /** Weights of the first stage. */
  firstStage: FirstStage;
  /** Most candidates wanted. */
  limit: number;
}
