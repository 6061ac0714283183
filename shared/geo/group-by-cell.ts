/** Groups items by the cell that `cellOf` returns for each. It leaves out items for which `cellOf` returns null. */
export function groupByCell<T>(items: readonly T[], cellOf: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const cell = cellOf(item);
    if (cell === null) continue;
    const group = groups.get(cell);
    if (group) group.push(item);
    else groups.set(cell, [item]);
  }
  return groups;
}
