import type { CategoryAffinity, FirstStage } from "../../shared/contracts/retrieval.ts";
import { CategoryHours } from "../columns/category-hours.ts";
import { type Columns, categoryOf } from "../columns/columns.ts";
import { signedLog } from "../signed-log.ts";

/** The categories of a block. */
interface BlockCategories {
  hours: CategoryHours;
  /** Name of each category. */
  names: string[];
  /** For each row, the index of its category in `names`. */
  categoryOfRow: Uint16Array;
}

const cachedCategories = new WeakMap<Columns, BlockCategories>();

/** Returns the categories of a block. They are cached per block. */
export function categoriesOf(block: Columns): BlockCategories {
  const cached = cachedCategories.get(block);
  if (cached) return cached;
  const hours = new CategoryHours();
  const index = new Map<number, number>();
  const names: string[] = [];
  const categoryOfRow = new Uint16Array(block.count);
  for (let row = 0; row < block.count; row++) {
    hours.add(block, row);
    const string = block.category[row];
    let at = index.get(string);
    if (at === undefined) {
      at = names.push(categoryOf(block, row)) - 1;
      index.set(string, at);
    }
    categoryOfRow[row] = at;
  }
  const categories = { hours, names, categoryOfRow };
  cachedCategories.set(block, categories);
  return categories;
}

/** Returns the people who chose products of the blocks, by category and local hour. */
export function categoryHoursOf(blocks: readonly Columns[]): CategoryHours {
  const all = new CategoryHours();
  for (const block of blocks) all.addAll(categoriesOf(block).hours);
  return all;
}

/**
 * Returns the weighted affinity to each category, by its name: from the user's choices in the category, and from how
 * much more often people choose the category at this local hour. If `hour` is null, the hour does not count.
 */
export function affinityWeights(
  hours: CategoryHours,
  hour: number | null,
  choices: readonly CategoryAffinity[],
  weights: Pick<FirstStage, "category" | "hour">,
): Map<string, number> {
  const affinities = new Map<string, number>();
  if (hour !== null)
    for (const name of hours.categories) affinities.set(name, weights.hour * hours.lift(name, hour));
  for (const each of choices)
    affinities.set(each.name, (affinities.get(each.name) ?? 0) + weights.category * signedLog(each.choices));
  return affinities;
}

/** Returns the index of each row's category, and the affinity to each category by this index. */
export function affinitiesIn(
  block: Columns,
  affinities: ReadonlyMap<string, number>,
): { categoryOfRow: Uint16Array; affinityOfCategory: Float64Array } {
  const { names, categoryOfRow } = categoriesOf(block);
  return {
    categoryOfRow,
    affinityOfCategory: Float64Array.from(names, (name) => affinities.get(name) ?? 0),
  };
}
