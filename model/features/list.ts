import { CategoryHours } from "../columns/category-hours.ts";
import type { Columns } from "../columns/columns.ts";
import type { UserProfile } from "../profile/profile.ts";

/** What the candidates of a ranking have in common. */
export interface ListSummary {
  /** Candidates, and how many of them nobody has chosen yet. */
  size: number;
  fresh: number;
  /** How much this hour speaks for a category among all who choose here: see {@link CategoryHours.lift}. */
  categoryHours: Map<number, number>;
  /** Choices of each category that everyone here would have made at the hours at which the person made theirs. */
  expectedChoices: Map<number, number>;
  /** Mean logarithm of the price after discount, by category. */
  logPrices: Map<number, number>;
}

/** A row of a block that is ranked. */
export interface ListedRow {
  block: Columns;
  row: number;
}

/** A category that is offered is chosen now and then at any hour, though nobody has yet: by so many people. */
const offered = 0.2;

/** Sums up the candidates of a ranking for a person, at a local hour. */
export function summaryOf(candidates: readonly ListedRow[], profile: UserProfile, hour: number): ListSummary {
  const hours = new CategoryHours();
  const prices = new Map<number, { logs: number; count: number }>();
  let fresh = 0;
  for (const { block, row } of candidates) {
    hours.add(block, row);
    if (block.counts[row * 6 + 5] === 0) fresh++;
    const paid = block.price[row] * (1 - block.discount[row]);
    if (!(paid > 0)) continue;
    const known = prices.get(block.categoryHash[row]) ?? { logs: 0, count: 0 };
    known.logs += Math.log(paid);
    known.count++;
    prices.set(block.categoryHash[row], known);
  }
  const categories = [...hours.categories];
  return {
    size: candidates.length,
    fresh,
    categoryHours: new Map(categories.map((hash) => [hash, hours.lift(hash, hour)])),
    expectedChoices: expectedChoices(categories, hours, profile),
    logPrices: new Map([...prices].map(([hash, { logs, count }]) => [hash, logs / count])),
  };
}

/** Choices of each category that everyone here would have made at the hours at which the person made theirs. */
function expectedChoices(
  categories: readonly number[],
  hours: CategoryHours,
  profile: UserProfile,
): Map<number, number> {
  const expected = new Map(categories.map((hash) => [hash, 0]));
  for (let h = 0; h < 24; h++) {
    if (profile.hours[h] === 0) continue;
    const all = categories.reduce((sum, hash) => sum + hours.at(hash, h) + offered, 0);
    for (const hash of categories)
      expected.set(
        hash,
        (expected.get(hash) ?? 0) + (profile.hours[h] * (hours.at(hash, h) + offered)) / all,
      );
  }
  return expected;
}
