import { type Columns, groupIdOf } from "../columns/columns.ts";

/**
 * Returns the first `perGroup` rows of each group of variants, in their order. Rows without a group stay. With
 * `perGroup` 1, a list shows the best of a group.
 */
export function collapseGroups<R extends { block: Columns; row: number }>(
  list: readonly R[],
  perGroup = 1,
): R[] {
  const counts = new Map<string, number>();
  return list.filter(({ block, row }) => {
    const group = groupIdOf(block, row);
    if (group === null) return true;
    const count = counts.get(group) ?? 0;
    counts.set(group, count + 1);
    return count < perGroup;
  });
}
