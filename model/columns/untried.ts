import type { Columns } from "./columns.ts";
import { columnWidth, countOffset } from "./layout.ts";

/**
 * Returns whether no user has chosen or dismissed a product. Such a product deserves to be tried. One that was only
 * dismissed does not: a dismissal is no choice, and no novelty either.
 */
export function isUntried({ counts }: Columns, row: number): boolean {
  const at = row * columnWidth.counts;
  return counts[at + countOffset.people] === 0 && counts[at + countOffset.dismiss] === 0;
}
