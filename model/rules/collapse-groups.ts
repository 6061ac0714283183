import { type Columns, groupIdOf } from "../columns/columns.ts";

/**
 * Returns the first row of each group of variants, in their order. Rows without a group stay.
 */
export function collapseGroups<R extends { block: Columns; row: number }>(list: readonly R[]): R[] {
  const shown = new Set<string>();
  return list.filter(({ block, row }) => {
    const group = groupIdOf(block, row);
    if (group === null) return true;
    if (shown.has(group)) return false;
    shown.add(group);
    return true;
  });
}
