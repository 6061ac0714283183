import type { Columns } from "../columns/columns.ts";
import { ProductMap } from "../columns/product-map.ts";
import { topIndices } from "./top-indices.ts";

/** Scored rows of several blocks: the i-th is row `row[i]` of `blocks[from[i]]`. */
interface ScoredRows {
  scores: Float64Array;
  count: number;
  blocks: readonly Columns[];
  from: ArrayLike<number>;
  row: ArrayLike<number>;
}

/**
 * Returns the indices of the `limit` best scores, best first, each product once, by its newest version. Two tiles may
 * contain a product while it moves or while its cell splits.
 */
export function distinctBestRows({ scores, count, blocks, from, row }: ScoredRows, limit: number): number[] {
  for (let wanted = limit; ; wanted *= 2) {
    const best = topIndices(scores, count, wanted);
    const newest = new ProductMap<number>();
    for (const i of best) {
      const block = blocks[from[i]];
      const known = newest.get(block, row[i]);
      if (known === undefined || block.version[row[i]] > blocks[from[known]].version[row[known]])
        newest.set(block, row[i], i);
    }
    if (newest.size === best.length) return best;
    if (newest.size >= limit || best.length === count)
      return best.filter((i) => newest.get(blocks[from[i]], row[i]) === i).slice(0, limit);
  }
}
