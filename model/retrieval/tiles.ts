import type { Columns } from "../columns/columns.ts";

/** Where tiles come from; null for a cell without products. */
export interface TileSource {
  /** `version`: what the cell's parent knows to be there; a leaf that is held in it needs no other look. */
  tile(cell: string, version?: number): Promise<Columns | null>;
}

const indices = new WeakMap<Columns, Map<number, number>>();

/** Row of a product in a block, by the hash of its id; undefined where it is not there. */
export function rowOfHash(columns: Columns, idHash: number): number | undefined {
  let index = indices.get(columns);
  if (!index) {
    index = new Map();
    for (let row = 0; row < columns.count; row++) index.set(columns.idHash[row], row);
    indices.set(columns, index);
  }
  return index.get(idHash);
}
