import type { CategoryAffinity } from "../../shared/contracts/retrieval.ts";
import { hash32 } from "../columns/hash.ts";
import type { UserProfile } from "../profile/profile.ts";

/** Returns the number of the user's choices by category. */
export const categoryAffinities = (profile: UserProfile): CategoryAffinity[] =>
  [...profile.categories].map(([name, { choices }]) => ({ hash: hash32(name), choices }));
