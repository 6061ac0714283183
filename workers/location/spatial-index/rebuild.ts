import { cellStub } from "../../../durable-objects/cell.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-state.ts";
import type { CellContent, ProductRange } from "../../../shared/contracts/rebuild.ts";
import { childrenOf, childToward, isLeaf, leafOf, worldCell } from "../../../shared/geo/cells.ts";
import { overlaps } from "../../../shared/geo/product-range.ts";
import { inTurn } from "./holding-cells.ts";

/** Leaf cells of a range that ever handed up to their parents, found from the world down; those below them are not. */
async function knownLeaves(
  cells: LocationEnv["CELL"],
  application: string,
  range: ProductRange,
): Promise<string[]> {
  const leaves: string[] = [];
  for (let level = [worldCell]; level.length > 0; ) {
    const below: string[] = [];
    await inTurn(level, async (cell) => {
      for (const child of await cellStub(cells, application, cell).childCells())
        if (overlaps(range, child)) (isLeaf(child) ? leaves : below).push(child);
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
export async function rebuild(
  cells: LocationEnv["CELL"],
  application: string,
  range: ProductRange,
  products: readonly CellContent[],
): Promise<number> {
  const fill = async (cell: string, content: CellContent[]): Promise<number> => {
    if (!overlaps(range, cell)) return 0;
    if (await cellStub(cells, application, cell).rebuild(application, cell, range, content)) return 1;
    const parts = grouped(content, (address, id) => childToward(cell, address, hash53(id)));
    return inTurn(childrenOf(cell), (child) => fill(child, parts.get(child) ?? []));
  };
  const parts = grouped(products, (address) => leafOf(address));
  const leaves = new Set([...parts.keys(), ...(await knownLeaves(cells, application, range))]);
  return inTurn([...leaves], (cell) => fill(cell, parts.get(cell) ?? []));
}
