import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import type { CellContent, ProductRange } from "../../../shared/contracts/rebuild.ts";
import { childCells, holdsProducts, leafCell, nextCellToward, worldCell } from "../../../shared/geo/cells.ts";
import { groupByCell } from "../../../shared/geo/group-by-cell.ts";
import { cellOverlapsRange } from "../../../shared/geo/product-range.ts";
import { sumConcurrently } from "./owning-cells.ts";

/**
 * Returns the leaf cells in a range that ever sent a summary to their parents, found from the root of the pyramid down.
 */
async function leavesInRange(
  cells: LocationEnv["CELL"],
  application: string,
  range: ProductRange,
): Promise<string[]> {
  const leaves: string[] = [];
  for (let level = [worldCell]; level.length > 0; ) {
    const below: string[] = [];
    await sumConcurrently(level, async (cell) => {
      for (const child of await cellStub(cells, application, cell).summarizedChildren())
        if (cellOverlapsRange(range, child)) (holdsProducts(child) ? leaves : below).push(child);
      return 0;
    });
    level = below;
  }
  return leaves;
}

/** Replaces all products of a range in the cells by the given ones. Returns the number of cells rebuilt. */
export async function rebuildCells(
  cells: LocationEnv["CELL"],
  application: string,
  range: ProductRange,
  products: readonly CellContent[],
): Promise<number> {
  const fill = async (cell: string, content: CellContent[]): Promise<number> => {
    if (!cellOverlapsRange(range, cell)) return 0;
    if (await cellStub(cells, application, cell).replaceRange(application, cell, range, content)) return 1;
    const parts = groupByCell(content, ({ change }) =>
      nextCellToward(cell, addressOfProduct(change), hash53(change.productId)),
    );
    return sumConcurrently(childCells(cell), (child) => fill(child, parts.get(child) ?? []));
  };
  const parts = groupByCell(products, ({ change }) => leafCell(addressOfProduct(change)));
  const leaves = new Set([...parts.keys(), ...(await leavesInRange(cells, application, range))]);
  return sumConcurrently([...leaves], (cell) => fill(cell, parts.get(cell) ?? []));
}
