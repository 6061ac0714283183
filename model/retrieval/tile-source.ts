import type { Point } from "../../shared/contracts/primitives.ts";
import type { Columns } from "../columns/columns.ts";

/** Reads tiles: from storage through a cache when serving, from memory when training and evaluating. */
export interface TileSource {
  /**
   * Returns the tile of a cell; null for a cell without products. `version` is the version that the parent's tile
   * names: a source that holds a leaf in this version or a later one need not read it again.
   */
  tile(cell: string, version?: number): Promise<Columns | null>;
  /**
   * Starts to read the tiles of all parents around a point, so that a search finds them in one wave of reads instead of
   * one wave for each level. Absent where tiles are in memory.
   */
  prefetch?(point: Point | null): void;
}
