/** Entries for which a table has slots at least. */
const minEntries = 16;

/**
 * Hash table of entries 0, 1, 2, ... by their {@link hash53}: open addressing with linear probing, at most half full.
 * Several entries may have one hash: the caller compares what they stand for. A `Map` by such hashes takes several times
 * as long, since it allocates a heap number for each look-up.
 */
export class HashSlots {
  #count = 0;
  #hashes: Float64Array;
  /** Entry in each slot; -1: free. Twice as long as `#hashes`. */
  #slots: Int32Array;

  /** `expected` is the number of entries for which the table need not grow. */
  constructor(expected = 0) {
    const entries = 1 << (32 - Math.clz32(Math.max(minEntries, expected) - 1));
    this.#hashes = new Float64Array(entries);
    this.#slots = new Int32Array(2 * entries).fill(-1);
  }

  get count(): number {
    return this.#count;
  }

  /** Adds the next entry. */
  add(hash: number): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count] = hash;
    this.#insert(this.#count++);
  }

  /** Adds the next entry, unless there is one with its hash. Returns whether it was added. */
  addNew(hash: number): boolean {
    for (let slot = this.first(hash); this.#slots[slot] >= 0; slot = this.next(slot))
      if (this.#hashes[this.#slots[slot]] === hash) return false;
    this.add(hash);
    return true;
  }

  /** Returns the first slot to look at for a hash. Products of a shard share the lower bits: Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
  first(hash: number): number {
    return Math.imul(hash >>> 0, 0x9e3779b1) >>> (Math.clz32(this.#slots.length) + 1);
  }

  /** Returns the slot to look at after another one. */
  next(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  /** Returns the entry in a slot; -1 for a free slot, at which a search ends. */
  entryAt(slot: number): number {
    return this.#slots[slot];
  }

  /** Returns the hash of an entry. */
  hashOf(entry: number): number {
    return this.#hashes[entry];
  }

  #insert(entry: number): void {
    let slot = this.first(this.#hashes[entry]);
    while (this.#slots[slot] >= 0) slot = this.next(slot);
    this.#slots[slot] = entry;
  }

  #grow(): void {
    const hashes = new Float64Array(2 * this.#hashes.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Int32Array(2 * hashes.length).fill(-1);
    for (let entry = 0; entry < this.#count; entry++) this.#insert(entry);
  }
}
