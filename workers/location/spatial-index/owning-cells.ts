import { hash53 } from "../../../model/columns/hash.ts";
import { nextCellToward, leafCell } from "../../../shared/geo/cells.ts";

/** What is said of a product that has, or had, an address. */
export interface AddressedProduct {
  cell: string;
  productId: string;
}

/** Cells told at the same time: one request may hold few connections. */
const maxConcurrentCells = 6;
/** Cells of which an isolate remembers that they have split. */
const maxSplitCells = 20_000;

/** Cells that have split, which is for ever. */
const splitCells = new Set<string>();

/** Does work item by item, some at a time; the sum of its answers. */
export async function sumConcurrently<T>(items: readonly T[], work: (item: T) => Promise<number>): Promise<number> {
  let sum = 0;
  for (let i = 0; i < items.length; i += maxConcurrentCells)
    for (const part of await Promise.all(items.slice(i, i + maxConcurrentCells).map(work))) sum += part;
  return sum;
}

/**
 * Tells the cells that hold products what is said of these: the first on each address's path that has not split, which it
 * answers by null. Answers the sum of what they answer.
 */
export async function applyToOwningCells<T extends AddressedProduct>(
  application: string,
  items: readonly T[],
  apply: (cell: string, items: T[]) => Promise<number | null>,
): Promise<number> {
  const downFrom = (start: string, { cell: address, productId }: T): string | null => {
    let cell: string | null = start;
    while (cell !== null && splitCells.has(`${application}:${cell}`))
      cell = nextCellToward(cell, address, hash53(productId));
    return cell;
  };
  let sum = 0;
  let open = groupByCell(items, (item) => downFrom(leafCell(item.cell), item));
  while (open.size > 0) {
    const further: [string, T[]][] = [];
    sum += await sumConcurrently([...open], async ([cell, told]) => {
      const answer = await apply(cell, told);
      if (answer !== null) return answer;
      if (splitCells.size >= maxSplitCells) splitCells.clear();
      splitCells.add(`${application}:${cell}`);
      further.push([cell, told]);
      return 0;
    });
    open = new Map();
    for (const [cell, told] of further)
      for (const [child, part] of groupByCell(told, (item) => {
        const next = nextCellToward(cell, item.cell, hash53(item.productId));
        return next && downFrom(next, item);
      }))
        open.set(child, part);
  }
  return sum;
}

/** Items by the cell named for each; those without one are left out: their path has ended. */
function groupByCell<T>(items: readonly T[], cellOf: (item: T) => string | null): Map<string, T[]> {
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
