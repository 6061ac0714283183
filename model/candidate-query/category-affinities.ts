import type { CategoryAffinity } from "../../shared/contracts/retrieval.ts";
import { netChoices, type ReadonlyProfile } from "../profile/profile.ts";

/**
 * Returns the number of the user's choices by category, less their dismissals. The category that the user is looking for
 * now (`wanted`, or null) counts as often as the one that they choose most: otherwise a dense city has no place for it among
 * the candidates.
 */
export function categoryAffinities(
  { categories }: Pick<ReadonlyProfile, "categories">,
  wanted: string | null = null,
): CategoryAffinity[] {
  const affinities = [...categories].map(([name, stats]) => ({ name, choices: netChoices(stats) }));
  if (wanted === null) return affinities;
  const most = Math.max(...affinities.map(({ choices }) => choices));
  return affinities.map((each) => (each.name === wanted ? { ...each, choices: most } : each));
}
