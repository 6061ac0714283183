import { parentOf, worldCell } from "../../workers/shared/geo/cells.ts";
import { type Columns, decodeColumns } from "../columns/columns.ts";
import type { Places } from "../pipeline/ports.ts";
import { candidates, columnsOf, type Forwards } from "./candidates.ts";
import { buildLeaf, buildParent, type CellProduct, type ChildReport, reportOf } from "./cell-state.ts";
import type { TileSource } from "./tiles.ts";

/** A block that was just built; a null would be a bug. */
function decoded(buffer: ArrayBuffer): Columns {
  const columns = decodeColumns(buffer);
  if (!columns) throw new Error("a block that was just built does not decode");
  return columns;
}

/**
 * The whole pyramid of tiles in memory, built by the code of the cells themselves: for evaluation and tests.
 * `cells` maps leaf cells to their products.
 */
export function buildPyramid(
  cells: ReadonlyMap<string, readonly CellProduct[]>,
  time: number,
  offsetsOf: (cell: string) => (time: number) => number,
): TileSource & Forwards {
  const tiles = new Map<string, Columns>();
  let level = new Map<string, ChildReport[]>();
  const handUp = (into: Map<string, ChildReport[]>, tile: Columns) => {
    tiles.set(tile.meta.cell, tile);
    const parent = parentOf(tile.meta.cell);
    const report = reportOf(tile);
    if (parent && report) into.set(parent, [...(into.get(parent) ?? []), report]);
  };
  for (const [cell, products] of cells)
    handUp(level, decoded(buildLeaf(cell, 1, time, products, offsetsOf(cell))));
  while (level.size > 0) {
    const above = new Map<string, ChildReport[]>();
    for (const [cell, reports] of level) {
      // The world has children of two levels: regions, and shards of placeless products.
      if (cell === worldCell && level.size > 1) above.set(cell, [...(above.get(cell) ?? []), ...reports]);
      else handUp(above, decoded(buildParent(cell, 1, time, reports)));
    }
    level = above;
  }
  return {
    tile: async (cell) => tiles.get(cell) ?? null,
    forward: async () => null,
  };
}

/** {@link Places} over any source of tiles. */
export const placesOver = (source: TileSource & Forwards, clock: () => number): Places => ({
  candidates: (query) => candidates(source, query),
  columns: (wanted, withNeighbours) => columnsOf(source, wanted, clock(), withNeighbours),
});
