import type { Columns } from "./columns.ts";
import { hash53 } from "./hash.ts";
import { hasProductId } from "./product-identity.ts";

/**
 * Hash table of each block: rows by the hash of the product id. Open addressing, at most half full; -1: a free slot.
 */
const cachedIndexes = new WeakMap<Columns, Int32Array>();

/** Bytes of a block's hash table per row, at most. */
export const rowIndexBytesPerRow = 16;

/** Returns the first slot to try. Products of a shard share the lower bits: Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
const slotOf = (idHash: number, index: Int32Array): number =>
  Math.imul(idHash >>> 0, 0x9e3779b1) >>> (Math.clz32(index.length) + 1);

function rowIndexOf(columns: Columns): Int32Array {
  const known = cachedIndexes.get(columns);
  if (known) return known;
  const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(1, columns.count)));
  const index = new Int32Array(slots).fill(-1);
  for (let row = 0; row < columns.count; row++) {
    let slot = slotOf(columns.idHash[row], index);
    while (index[slot] >= 0) slot = (slot + 1) & (index.length - 1);
    index[slot] = row;
  }
  cachedIndexes.set(columns, index);
  return index;
}

/** Returns the row of a product in a block; undefined if the block does not contain it. */
export function rowOfProduct(columns: Columns, productId: string): number | undefined {
  const idHash = hash53(productId);
  const index = rowIndexOf(columns);
  for (let slot = slotOf(idHash, index); index[slot] >= 0; slot = (slot + 1) & (index.length - 1)) {
    const row = index[slot];
    if (columns.idHash[row] === idHash && hasProductId(columns, row, productId)) return row;
  }
  return undefined;
}
