import type { Columns } from "../columns/columns.ts";

/** Where tiles come from; null for a cell without products. */
export interface TileSource {
  /** `version`: what the cell's parent knows to be there; a leaf that is held in it needs no other look. */
  tile(cell: string, version?: number): Promise<Columns | null>;
}

/** Rows by hash of their products' ids: open addressing, at most half full; -1 where none is. */
const indices = new WeakMap<Columns, Int32Array>();

/** Bytes that the index of a block takes for each of its rows, at most. */
export const indexBytesPerRow = 16;

/** Fibonacci hashing (Knuth, TAOCP 3, 6.4): products of one shard have the same lower bits. */
const slotOf = (idHash: number, index: Int32Array): number =>
  Math.imul(idHash >>> 0, 0x9e3779b1) >>> (Math.clz32(index.length) + 1);

function indexOf(columns: Columns): Int32Array {
  const known = indices.get(columns);
  if (known) return known;
  const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(1, columns.count)));
  const index = new Int32Array(slots).fill(-1);
  for (let row = 0; row < columns.count; row++) {
    let slot = slotOf(columns.idHash[row], index);
    while (index[slot] >= 0) slot = (slot + 1) & (index.length - 1);
    index[slot] = row;
  }
  indices.set(columns, index);
  return index;
}

/** Row of a product in a block, by the hash of its id; undefined where it is not there. */
export function rowOfHash(columns: Columns, idHash: number): number | undefined {
  const index = indexOf(columns);
  for (let slot = slotOf(idHash, index); index[slot] >= 0; slot = (slot + 1) & (index.length - 1))
    if (columns.idHash[index[slot]] === idHash) return index[slot];
  return undefined;
}
