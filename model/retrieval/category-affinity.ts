import type { CategoryAffinity, FirstStage } from "../../shared/contracts/retrieval.ts";
import { CategoryHours } from "../columns/category-hours.ts";
import type { Columns } from "../columns/columns.ts";

/** What is remembered with a block of its categories. */
interface BlockCategories {
  hours: CategoryHours;
  /** Hashes, and for each row the index of its own. */
  hashes: number[];
  ofRow: Uint16Array;
}

const remembered = new WeakMap<Columns, BlockCategories>();

function categoriesOf(block: Columns): BlockCategories {
  const known = remembered.get(block);
  if (known) return known;
  const hours = new CategoryHours();
  const index = new Map<number, number>();
  const ofRow = new Uint16Array(block.count);
  for (let row = 0; row < block.count; row++) {
    hours.add(block, row);
    const hash = block.categoryHash[row];
    let at = index.get(hash);
    if (at === undefined) {
      at = index.size;
      index.set(hash, at);
    }
    ofRow[row] = at;
  }
  const categories = { hours, hashes: [...index.keys()], ofRow };
  remembered.set(block, categories);
  return categories;
}

/** When everyone chooses what among the products of all blocks. */
export function categoryHoursOf(blocks: readonly Columns[]): CategoryHours {
  const all = new CategoryHours();
  for (const block of blocks) all.addAll(categoriesOf(block).hours);
  return all;
}

/** What speaks for each category, by its hash: what the person chose before, and the local hour. */
export function affinityWeights(
  hours: CategoryHours,
  hour: number | null,
  choices: readonly CategoryAffinity[],
  weights: Pick<FirstStage, "category" | "hour">,
): Map<number, number> {
  const affinities = new Map<number, number>();
  if (hour !== null)
    for (const hash of hours.categories) affinities.set(hash, weights.hour * hours.lift(hash, hour));
  for (const each of choices)
    affinities.set(each.hash, (affinities.get(each.hash) ?? 0) + weights.category * Math.log1p(each.choices));
  return affinities;
}

/** What speaks for each row of a block: an index by row, and the leaning by index. */
export function affinityOfRows(
  block: Columns,
  affinities: ReadonlyMap<number, number>,
): { ofRow: Uint16Array; leaning: Float64Array } {
  const { hashes, ofRow } = categoriesOf(block);
  return { ofRow, leaning: Float64Array.from(hashes, (hash) => affinities.get(hash) ?? 0) };
}
