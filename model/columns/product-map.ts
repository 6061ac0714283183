import type { Columns } from "./columns.ts";
import { HashSlots } from "./hash-slots.ts";
import { isSameProduct } from "./product-identity.ts";

/** Maps the products of rows to values, in the order in which they were set: a hash finds an entry, the id decides. */
export class ProductMap<T> {
  readonly #slots: HashSlots;
  readonly #blocks: Columns[] = [];
  readonly #rows: number[] = [];
  readonly #values: T[] = [];

  /** `expected` is about the number of products. */
  constructor(expected = 0) {
    this.#slots = new HashSlots(expected);
  }

  /** Number of products. */
  get size(): number {
    return this.#values.length;
  }

  /** Returns the value of the product in a row; undefined if the map has none. */
  get(block: Columns, row: number): T | undefined {
    const known = this.#find(block, row);
    return known < 0 ? undefined : this.#values[known];
  }

  /** Sets the value of the product in a row. A product that was set before keeps its place in the order. */
  set(block: Columns, row: number, value: T): void {
    const known = this.#find(block, row);
    if (known < 0) this.insert(block, row, value);
    else this.#values[known] = value;
  }

  /** Sets the value of a product that the map does not hold: the caller has looked. */
  insert(block: Columns, row: number, value: T): void {
    this.#slots.add(block.idHash[row]);
    this.#blocks.push(block);
    this.#rows.push(row);
    this.#values.push(value);
  }

  /** Returns the values, in the order in which their products were first set. */
  values(): T[] {
    return this.#values.slice();
  }

  /** Returns the entry of the product in a row; -1 for none. */
  #find(block: Columns, row: number): number {
    const slots = this.#slots;
    const hash = block.idHash[row];
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const entry = slots.entryAt(slot);
      if (entry < 0) return -1;
      if (slots.hashOf(entry) === hash && isSameProduct(this.#blocks[entry], this.#rows[entry], block, row))
        return entry;
    }
  }
}
