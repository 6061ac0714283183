import type { ExpressionUser } from "../../shared/contracts/expression.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";

/** Returns what an expression may know of a user. Of two categories with as many choices, the first by name counts. */
export function expressionUserOf({ choices, categories, activity }: ReadonlyProfile): ExpressionUser {
  let favoriteCategory: string | null = null;
  let largest = 0;
  for (const [name, { choices: own }] of categories) {
    if (own < largest || own === 0) continue;
    if (own === largest && favoriteCategory !== null && favoriteCategory < name) continue;
    favoriteCategory = name;
    largest = own;
  }
  return { choices, favoriteCategory, activeDays: activity.days, since: activity.since };
}
