import { daySeconds } from "../../shared/time/seconds.ts";
import { dismissalWeight, type ReadonlyProfile } from "../profile/profile.ts";

/** Half-life of dismissals in days, since the user's newest choice or dismissal in the category. */
const halfLifeDays = 30;
/** Decayed dismissals below which a category is not lowered. */
const minDismissals = 0.05;

/**
 * Returns the factors on the scores of products by the name of their category, for categories with dismissals: the square
 * root of (1 + choices) / (1 + choices + {@link dismissalWeight} times the decayed dismissals). It is 0.58 after one
 * dismissal without choices, and grows to 1 with each choice and with time. `now` is in seconds since the epoch. A model
 * may not have seen dismissals in training, so that its score alone does not promise less of the category.
 */
export function rejectedCategories(
  { categories }: Pick<ReadonlyProfile, "categories">,
  now: number,
): Map<string, number> {
  const factors = new Map<string, number>();
  for (const [name, { choices, dismissals, at }] of categories) {
    const days = Math.max(0, now - at) / daySeconds;
    const decayed = dismissals * 2 ** (-days / halfLifeDays);
    if (decayed >= minDismissals)
      factors.set(name, Math.sqrt((1 + choices) / (1 + choices + dismissalWeight * decayed)));
  }
  return factors;
}
