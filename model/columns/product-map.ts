import type { Columns } from "./columns.ts";
import { isSameProduct } from "./product-identity.ts";

interface Entry<T> {
  block: Columns;
  row: number;
  value: T;
  /** The next entry with the same hash; nearly always null. */
  next: Entry<T> | null;
}

/** Maps the products of rows to values, in the order in which they were set: a hash finds an entry, the id decides. */
export class ProductMap<T> {
  readonly #entries = new Map<number, Entry<T>>();
  #size = 0;

  /** Number of products. */
  get size(): number {
    return this.#size;
  }

  /** Returns the value of the product in a row; undefined if the map has none. */
  get(block: Columns, row: number): T | undefined {
    return this.#find(block, row)?.value;
  }

  /** Sets the value of the product in a row. A product that was set before keeps its place in the order. */
  set(block: Columns, row: number, value: T): void {
    const known = this.#find(block, row);
    if (known) {
      known.value = value;
      return;
    }
    this.insert(block, row, value);
  }

  /** Sets the value of a product that the map does not hold: the caller has looked. */
  insert(block: Columns, row: number, value: T): void {
    const hash = block.idHash[row];
    const first = this.#entries.get(hash);
    if (first) first.next = { block, row, value, next: first.next };
    else this.#entries.set(hash, { block, row, value, next: null });
    this.#size++;
  }

  #find(block: Columns, row: number): Entry<T> | null {
    let entry = this.#entries.get(block.idHash[row]) ?? null;
    while (entry && !isSameProduct(entry.block, entry.row, block, row)) entry = entry.next;
    return entry;
  }

  /** Returns the values, in the order in which their products were first set. */
  values(): T[] {
    const values: T[] = [];
    this.#entries.forEach((first) => {
      for (let entry: Entry<T> | null = first; entry; entry = entry.next) values.push(entry.value);
    });
    return values;
  }
}
