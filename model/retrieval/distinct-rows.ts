import { type Columns, groupIdOf } from "../columns/columns.ts";
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
 * Variants of one group that are candidates, at most. The ranker chooses among them. Without a limit, the sizes of one
 * shirt could be all candidates.
 */
export const maxVariants = 4;

/**
 * Returns the indices of the `limit` best scores, best first: each product once, by its newest version, and at most
 * {@link maxVariants} of a group. Two tiles may contain a product while it moves or while its cell splits.
 */
export function distinctBestRows(rows: ScoredRows, limit: number): number[] {
  for (let wanted = limit; ; wanted *= 2) {
    const best = topIndices(rows.scores, rows.count, wanted);
    const distinct = withoutDuplicates(rows, best);
    if (distinct.length >= limit || best.length === rows.count) return distinct.slice(0, limit);
  }
}

function withoutDuplicates({ blocks, from, row }: ScoredRows, best: readonly number[]): number[] {
  const newest = new ProductMap<number>();
  for (const i of best) {
    const block = blocks[from[i]];
    const known = newest.get(block, row[i]);
    if (known === undefined || block.version[row[i]] > blocks[from[known]].version[row[known]])
      newest.set(block, row[i], i);
  }
  const variants = new Map<string, number>();
  return best.filter((i) => {
    const block = blocks[from[i]];
    if (newest.size < best.length && newest.get(block, row[i]) !== i) return false;
    const group = groupIdOf(block, row[i]);
    if (group === null) return true;
    const count = variants.get(group) ?? 0;
    variants.set(group, count + 1);
    return count < maxVariants;
  });
}
