import { childToward, leafOf, maxLeafProducts, parentOf, worldCell } from "../../shared/geo/cells.ts";
import { type Columns, decodeColumns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import type { Forwards } from "./candidates.ts";
import { buildLeaf, buildParent, type CellProduct, type ChildReport, reportOf } from "./cell-state.ts";
import type { TileSource } from "./tiles.ts";

/** A block that was just built; a null would be a bug. */
function decoded(buffer: ArrayBuffer): Columns {
  const columns = decodeColumns(buffer);
  if (!columns) throw new Error("a block that was just built does not decode");
  return columns;
}

/** Products by the cell that the function names for each; those for which it names none are left out. */
export function byCell(
  products: readonly CellProduct[],
  cellOf: (product: CellProduct) => string | null,
): Map<string, CellProduct[]> {
  const cells = new Map<string, CellProduct[]>();
  for (const product of products) {
    const cell = cellOf(product);
    if (cell === null) continue;
    const list = cells.get(cell);
    if (list) list.push(product);
    else cells.set(cell, [product]);
  }
  return cells;
}

/**
 * The whole pyramid of tiles in memory, built by the code of the cells themselves, split where they split: for evaluation
 * and tests.
 */
export function buildPyramid(
  products: readonly CellProduct[],
  time: number,
  offsetsOf: (cell: string) => (time: number) => number,
): TileSource & Forwards {
  const tiles = new Map<string, Columns>();
  const report = (tile: Columns): ChildReport[] => {
    tiles.set(tile.meta.cell, tile);
    const own = reportOf(tile);
    return own ? [own] : [];
  };
  const parent = (cell: string, reports: ChildReport[]): ChildReport[] =>
    report(decoded(buildParent(cell, 1, time, reports)));
  const leaf = (cell: string, held: readonly CellProduct[]): ChildReport[] => {
    const parts =
      held.length > maxLeafProducts
        ? byCell(held, (each) => childToward(cell, each.cell, hash53(each.change.productId)))
        : new Map<string, CellProduct[]>();
    return parts.size > 0
      ? parent(
          cell,
          [...parts].flatMap(([child, part]) => leaf(child, part)),
        )
      : report(decoded(buildLeaf(cell, 1, time, held, offsetsOf(cell))));
  };
  const reports = [...byCell(products, (each) => leafOf(each.cell))].flatMap(([cell, held]) =>
    leaf(cell, held),
  );
  for (let level = reports; level.length > 0; ) {
    const above = new Map<string, ChildReport[]>();
    for (const each of level) {
      const cell = parentOf(each.block.cell);
      if (cell !== null) above.set(cell, [...(above.get(cell) ?? []), each]);
    }
    // The world has children of two levels, regions and the placeless: it waits for the last of them.
    const waiting = above.size > 1 ? above.get(worldCell) : undefined;
    if (waiting) above.delete(worldCell);
    level = [...(waiting ?? []), ...[...above].flatMap(([cell, children]) => parent(cell, children))];
  }
  return {
    tile: async (cell) => tiles.get(cell) ?? null,
    forward: async () => null,
  };
}
