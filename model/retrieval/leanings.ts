import type { FirstStage, Leaning } from "../../workers/shared/contracts/retrieval.ts";
import { CategoryHours } from "../columns/category-hours.ts";
import type { Columns } from "../columns/columns.ts";

const known = new WeakMap<Columns, CategoryHours>();

/** When everyone chooses what among a block's products, remembered with it. */
function hoursOf(block: Columns): CategoryHours {
  let hours = known.get(block);
  if (!hours) {
    hours = new CategoryHours();
    for (let row = 0; row < block.count; row++) hours.add(block, row);
    known.set(block, hours);
  }
  return hours;
}

/** When everyone chooses what among the products of all blocks. */
export function categoryHoursOf(blocks: readonly Columns[]): CategoryHours {
  const all = new CategoryHours();
  for (const block of blocks) all.addAll(hoursOf(block));
  return all;
}

/** What speaks for each category, by its hash: what the person chose before, and the local hour. */
export function leaningsOf(
  hours: CategoryHours,
  hour: number | null,
  choices: readonly Leaning[],
  weights: Pick<FirstStage, "category" | "hour">,
): Map<number, number> {
  const leanings = new Map<number, number>();
  if (hour !== null)
    for (const hash of hours.categories) leanings.set(hash, weights.hour * hours.lift(hash, hour));
  for (const each of choices)
    leanings.set(each.hash, (leanings.get(each.hash) ?? 0) + weights.category * Math.log1p(each.choices));
  return leanings;
}
