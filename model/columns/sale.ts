import type { Columns } from "./columns.ts";
import { optionalColumn } from "./optional-values.ts";

/** A test of the rows of one block. */
type BlockTest = (row: number) => boolean;

/**
 * Returns the test whether a time, in seconds since the epoch, is within the two columns of times of a row; null if no
 * row has a limit. NaN is no limit.
 */
export function compileWithin(columns: Columns, from: string, until: string, time: number): BlockTest | null {
  const starts = optionalColumn(columns, from, "time")?.values;
  const ends = optionalColumn(columns, until, "time")?.values;
  if (!starts && !ends) return null;
  return (row) => !(starts && time < starts[row]) && !(ends && time >= ends[row]);
}

/** Returns the test whether the discount of a row holds at a time; null if all do. */
export const compileOnSale = (columns: Columns, time: number): BlockTest | null =>
  compileWithin(columns, "saleFrom", "saleUntil", time);

/** Returns the discount of a row at a time, in millionths of the price. */
export function discountAt(columns: Columns, row: number, time: number): number {
  const isOnSale = columns.optional.length === 0 ? null : compileOnSale(columns, time);
  return isOnSale === null || isOnSale(row) ? columns.discountMillionths[row] : 0;
}

/**
 * Sets the discounts of a block of candidates, in place, to those that hold at a time. Whoever reads the candidates of a
 * query then need not know of sales.
 */
export function applySales(columns: Columns, time: number): void {
  const isOnSale = columns.optional.length === 0 ? null : compileOnSale(columns, time);
  if (isOnSale === null) return;
  for (let row = 0; row < columns.count; row++) if (!isOnSale(row)) columns.discountMillionths[row] = 0;
}
