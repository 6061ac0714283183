import { hash53 } from "../../../model/columns/hash.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import { leafCell, nextCellToward } from "../../../shared/geo/cells.ts";
import { groupByCell } from "../../../shared/geo/group-by-cell.ts";

/** An item for the cell that holds a product. */
export interface AddressedProduct {
  /** Present or former address of the product. */
  cell: string;
  productId: string;
}

/** Maximum number of concurrent calls to cells: a request may hold only a few open connections. */
const maxConcurrentCells = 6;
/** Number of split cells that an isolate remembers. */
const maxSplitCells = 20_000;

/** Cells known to have split, by application. A split is permanent. */
const splitCells = new ShareCache<true>({ maxSize: maxSplitCells });

/** Calls `work` for each item, in batches of {@link maxConcurrentCells}. Returns the sum of the results. */
export async function sumConcurrently<T>(
  items: readonly T[],
  work: (item: T) => Promise<number>,
): Promise<number> {
  let sum = 0;
  for (let i = 0; i < items.length; i += maxConcurrentCells)
    for (const result of await Promise.all(items.slice(i, i + maxConcurrentCells).map(work))) sum += result;
  return sum;
}

/**
 * Calls `apply` for the cells that hold the items' products, with the items of each. The owning cell is the first one
 * on an address's path that has not split. `apply` returns null for a split cell; its items then go to its children.
 * Returns the sum of the other results.
 */
export async function applyToOwningCells<T extends AddressedProduct>(
  application: string,
  items: readonly T[],
  apply: (cell: string, items: T[]) => Promise<number | null>,
): Promise<number> {
  /** Skips the cells that are known to have split. Returns null where the path ends. */
  const firstUnsplit = (start: string, { cell: address, productId }: T): string | null => {
    let cell: string | null = start;
    while (cell !== null && splitCells.get(application, cell))
      cell = nextCellToward(cell, address, hash53(productId));
    return cell;
  };
  let sum = 0;
  let pending = groupByCell(items, (item) => firstUnsplit(leafCell(item.cell), item));
  while (pending.size > 0) {
    const justSplit: [string, T[]][] = [];
    sum += await sumConcurrently([...pending], async ([cell, cellItems]) => {
      const result = await apply(cell, cellItems);
      if (result !== null) return result;
      splitCells.set(application, cell, true);
      justSplit.push([cell, cellItems]);
      return 0;
    });
    pending = new Map();
    for (const [cell, cellItems] of justSplit)
      for (const [child, part] of groupByCell(cellItems, (item) => {
        const next = nextCellToward(cell, item.cell, hash53(item.productId));
        return next && firstUnsplit(next, item);
      }))
        pending.set(child, part);
  }
  return sum;
}
