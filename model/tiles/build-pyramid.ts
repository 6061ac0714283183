import { leafCell, maxCellProducts, nextCellToward, parentCell, worldCell } from "../../shared/geo/cells.ts";
import { groupByCell } from "../../shared/geo/group-by-cell.ts";
import { type Columns, decodeColumns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import type { ForwardingLookup } from "../retrieval/product-columns.ts";
import type { TileSource } from "../retrieval/tile-source.ts";
import { buildLeafTile, buildParentTile, type ChildSummary, summarizeTile } from "./build-tiles.ts";
import type { CellProduct } from "./cell-product.ts";

/** Decodes a tile that this process has just built. */
function decodeBuiltTile(buffer: ArrayBuffer): Columns {
  const columns = decodeColumns(buffer);
  if (!columns) throw new Error("a tile that was just built does not decode: this is a bug in the builder");
  return columns;
}

/**
 * Builds all tiles in memory, for training, evaluation and tests. It splits cells where the Cell Durable Objects split
 * them, and builds tiles with the same functions. `offsetsOf` returns the offset of a cell's clocks from UTC by time.
 */
export function buildPyramid(
  products: readonly CellProduct[],
  time: number,
  offsetsOf: (cell: string) => (time: number) => number,
): TileSource & ForwardingLookup {
  const tiles = new Map<string, Columns>();
  const addTile = (buffer: ArrayBuffer): ChildSummary[] => {
    const tile = decodeBuiltTile(buffer);
    tiles.set(tile.meta.cell, tile);
    const summary = summarizeTile(tile);
    return summary ? [summary] : [];
  };
  const addParent = (cell: string, children: ChildSummary[]): ChildSummary[] =>
    addTile(buildParentTile(cell, 1, time, children));
  const addLeaf = (cell: string, cellProducts: readonly CellProduct[]): ChildSummary[] => {
    const parts =
      cellProducts.length > maxCellProducts
        ? groupByCell(cellProducts, (each) => nextCellToward(cell, each.cell, hash53(each.change.productId)))
        : new Map<string, CellProduct[]>();
    return parts.size > 0
      ? addParent(
          cell,
          [...parts].flatMap(([child, part]) => addLeaf(child, part)),
        )
      : addTile(buildLeafTile(cell, 1, time, cellProducts, offsetsOf(cell)));
  };
  const summaries = [...groupByCell(products, (each) => leafCell(each.cell))].flatMap(
    ([cell, cellProducts]) => addLeaf(cell, cellProducts),
  );
  for (let level = summaries; level.length > 0; ) {
    const parents = new Map<string, ChildSummary[]>();
    for (const each of level) {
      const cell = parentCell(each.block.cell);
      if (cell !== null) parents.set(cell, [...(parents.get(cell) ?? []), each]);
    }
    // The world's children are of two levels, regions and shards without a location: build its tile after the last one.
    const worldChildren = parents.size > 1 ? parents.get(worldCell) : undefined;
    if (worldChildren) parents.delete(worldCell);
    level = [
      ...(worldChildren ?? []),
      ...[...parents].flatMap(([cell, children]) => addParent(cell, children)),
    ];
  }
  return {
    tile: async (cell) => tiles.get(cell) ?? null,
    forwardingCell: async () => null,
  };
}
