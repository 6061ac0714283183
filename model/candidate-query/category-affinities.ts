import type { CategoryAffinity } from "../../shared/contracts/retrieval.ts";
import { netChoices, type ReadonlyProfile } from "../profile/profile.ts";

/** Returns the number of the user's choices by category, less their dismissals. */
export const categoryAffinities = (profile: ReadonlyProfile): CategoryAffinity[] =>
  [...profile.categories].map(([name, stats]) => ({ name, choices: netChoices(stats) }));
