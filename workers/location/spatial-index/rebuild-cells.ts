import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-product.ts";
import type { CellContent, ProductRange } from "../../../shared/contracts/rebuild.ts";
import { childCells, nextCellToward, holdsProducts, leafCell, worldCell } from "../../../shared/geo/cells.ts";
import { cellOverlapsRange } from "../../../shared/geo/product-range.ts";
import { sumConcurrently } from "./owning-cells.ts";

/** Leaf cells of a range that ever handed up to their parents, found from the world down; those below them are not. */
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

/** Products by the cell named for each. */
function grouped(
  products: readonly CellContent[],
  cellOf: (address: string, id: string) => string | null,
): Map<string, CellContent[]> {
  const groups = new Map<string, CellContent[]>();
  for (const product of products) {
    const cell = cellOf(addressOfProduct(product.change), product.change.productId);
    if (cell !== null) groups.set(cell, [...(groups.get(cell) ?? []), product]);
  }
  return groups;
}

/** Makes cells hold, of a range of products, exactly these; what else they hold of it they lose. Answers how many cells it were. */
export async function rebuildCells(
  cells: LocationEnv["CELL"],
  application: string,
  range: ProductRange,
  products: readonly CellContent[],
): Promise<number> {
  const fill = async (cell: string, content: CellContent[]): Promise<number> => {
    if (!cellOverlapsRange(range, cell)) return 0;
    if (await cellStub(cells, application, cell).replaceRange(application, cell, range, content)) return 1;
    const parts = grouped(content, (address, id) => nextCellToward(cell, address, hash53(id)));
    return sumConcurrently(childCells(cell), (child) => fill(child, parts.get(child) ?? []));
  };
  const parts = grouped(products, (address) => leafCell(address));
  const leaves = new Set([...parts.keys(), ...(await leavesInRange(cells, application, range))]);
  return sumConcurrently([...leaves], (cell) => fill(cell, parts.get(cell) ?? []));
}
