import type { BlockRow } from "../features/list-summary.ts";

/** A row of a block with its score. */
export interface RankedRow extends BlockRow {
  /** Never negative. */
  score: number;
}
