import type { Columns } from "../columns/columns.ts";
import { HashSlots } from "../columns/hash-slots.ts";
import { ProductMap } from "../columns/product-map.ts";
import { BestFirst } from "./best-first.ts";
import { type CandidateCaps, CandidateCounter } from "./candidate-caps.ts";

/** Scored rows of several blocks: the i-th is row `row[i]` of `blocks[from[i]]`. */
interface ScoredRows {
  scores: Float64Array;
  count: number;
  blocks: readonly Columns[];
  from: ArrayLike<number>;
  row: ArrayLike<number>;
}

/**
 * Returns the indices of the `limit` best scores, best first: each product once, by its newest version, and of a group
 * and a category as many as the caps allow. Two tiles may contain a product while it moves or while its cell splits.
 */
export function distinctBestRows(rows: ScoredRows, limit: number, caps?: CandidateCaps): number[] {
  const order = new BestFirst(rows.scores, rows.count);
  const best: number[] = [];
  // Each step doubles the number of rows that it looks at, so that all steps together cost twice the last one.
  for (let wanted = limit; ; wanted = best.length) {
    for (const each of order.take(wanted)) best.push(each);
    const distinct = withoutDuplicates(rows, best, new CandidateCounter(caps));
    if (distinct.length >= limit || best.length === rows.count) return distinct.slice(0, limit);
  }
}

function withoutDuplicates(
  { blocks, from, row }: ScoredRows,
  best: readonly number[],
  counter: CandidateCounter,
): number[] {
  const hashes = new HashSlots(best.length);
  // Nearly always, no product is in two tiles.
  if (best.every((i) => hashes.addNew(blocks[from[i]].idHash[row[i]])))
    return best.filter((i) => counter.take(blocks[from[i]], row[i]));
  const newest = new ProductMap<number>(best.length);
  for (const i of best) {
    const block = blocks[from[i]];
    const known = newest.get(block, row[i]);
    if (known === undefined || block.version[row[i]] > blocks[from[known]].version[row[known]])
      newest.set(block, row[i], i);
  }
  return best.filter((i) => {
    const block = blocks[from[i]];
    return newest.get(block, row[i]) === i && counter.take(block, row[i]);
  });
}
