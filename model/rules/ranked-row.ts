import type { BlockRow } from "../features/list-summary.ts";

/** A row of a block with its score. */
export interface RankedRow extends BlockRow {
  /** Never negative. */
  score: number;
  /** Position in the list that the row is pinned to, from 1; absent for a row that is not pinned. */
  pin?: number;
}
