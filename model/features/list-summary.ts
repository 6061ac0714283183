import { CategoryHours } from "../columns/category-hours.ts";
import { type Columns, categoryOf, unitsAfterDiscountOf } from "../columns/columns.ts";
import { isUntried } from "../columns/untried.ts";
import type { UserProfile } from "../profile/profile.ts";

/** Statistics over all candidates of a ranking. */
export interface ListSummary {
  /** Number of candidates. */
  size: number;
  /** Candidates that nobody has chosen or dismissed yet. */
  neverChosen: number;
  /** Lift of each category at the local hour, by its name: see {@link CategoryHours.lift}. */
  categoryHours: Map<string, number>;
  /** Choices that an average user would have made in each category at the hours of this user's choices. */
  expectedChoices: Map<string, number>;
  /** Mean logarithm of the price after discount, by category. */
  logPrices: Map<string, number>;
}

/** A row of a block. */
export interface BlockRow {
  block: Columns;
  row: number;
}

/** Smoothing of {@link ListSummary.expectedChoices}: people added to each category at each hour. */
const peoplePrior = 0.2;

/** Returns statistics over the candidates of a ranking for a user at a local hour. */
export function summarizeCandidates(
  candidates: readonly BlockRow[],
  profile: UserProfile,
  hour: number,
): ListSummary {
  const hours = new CategoryHours();
  const prices = new Map<string, { logs: number; count: number }>();
  let neverChosen = 0;
  for (const { block, row } of candidates) {
    hours.add(block, row);
    if (isUntried(block, row)) neverChosen++;
    const category = categoryOf(block, row);
    const paid = unitsAfterDiscountOf(block, row);
    if (!(paid > 0)) continue;
    const ofCategory = prices.get(category) ?? { logs: 0, count: 0 };
    ofCategory.logs += Math.log(paid);
    ofCategory.count++;
    prices.set(category, ofCategory);
  }
  const categories = [...hours.categories];
  return {
    size: candidates.length,
    neverChosen,
    categoryHours: new Map(categories.map((name) => [name, hours.lift(name, hour)])),
    expectedChoices: expectedChoices(categories, hours, profile),
    logPrices: new Map([...prices].map(([name, { logs, count }]) => [name, logs / count])),
  };
}

/**
 * Distributes the user's choices of each hour over the categories, in proportion to everyone's choices at that hour.
 */
function expectedChoices(
  categories: readonly string[],
  hours: CategoryHours,
  profile: UserProfile,
): Map<string, number> {
  const expected = new Map(categories.map((name) => [name, 0]));
  for (let h = 0; h < 24; h++) {
    if (profile.hours[h] === 0) continue;
    const all = categories.reduce((sum, name) => sum + hours.peopleAt(name, h) + peoplePrior, 0);
    for (const name of categories)
      expected.set(
        name,
        (expected.get(name) ?? 0) + (profile.hours[h] * (hours.peopleAt(name, h) + peoplePrior)) / all,
      );
  }
  return expected;
}
