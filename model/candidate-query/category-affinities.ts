import type { CategoryAffinity } from "../../shared/contracts/retrieval.ts";
import { hash32 } from "../columns/hash.ts";
import { netChoices, type UserProfile } from "../profile/profile.ts";

/** Returns the number of the user's choices by category, less their dismissals. */
export const categoryAffinities = (profile: UserProfile): CategoryAffinity[] =>
  [...profile.categories].map(([name, stats]) => ({ hash: hash32(name), choices: netChoices(stats) }));
