import type { Columns } from "../columns/columns.ts";
import { columnWidth, countOffset } from "../columns/layout.ts";

const countsWidth = columnWidth.counts;

/** Returns whether fewer than `minUsers` users chose a product, so that its counts are shown to nobody else. */
export const hasSmallCounts = ({ counts }: Columns, row: number, minUsers: number): boolean =>
  counts[row * countsWidth + countOffset.people] < minUsers;

/** Returns whether fewer than `minUsers` users dismissed a product. Each counts once. */
export const hasFewDismissals = ({ counts }: Columns, row: number, minUsers: number): boolean =>
  counts[row * countsWidth + countOffset.dismiss] < minUsers;

/**
 * Replaces what fewer than `minUsers` users did by what nobody did, in place: the counts, the decayed engagement, its
 * hours, and when it was last. The caller owns the block.
 */
export function hideSmallCounts(columns: Columns, minUsers: number): void {
  for (let row = 0; row < columns.count; row++) {
    if (!hasSmallCounts(columns, row, minUsers)) continue;
    const dismissals = hasFewDismissals(columns, row, minUsers)
      ? 0
      : columns.counts[row * countsWidth + countOffset.dismiss];
    for (const name of ["counts", "hot", "hours", "weekdays"] as const)
      columns[name].fill(0, row * columnWidth[name], (row + 1) * columnWidth[name]);
    columns.counts[row * countsWidth + countOffset.dismiss] = dismissals;
    columns.lastTime[row] = 0;
  }
}
