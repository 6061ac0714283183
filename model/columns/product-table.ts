import type { Columns } from "./columns.ts";
import { hash53 } from "./hash.ts";
import { hasProductId } from "./product-identity.ts";

interface Entry<T> {
  productId: string;
  value: T;
  /** The next entry with the same hash; nearly always null. */
  next: Entry<T> | null;
}

/** Values by product id, which rows of blocks look up: a hash finds an entry, and the id decides. */
export class ProductTable<T> {
  readonly #entries = new Map<number, Entry<T>>();

  /** Whether the table has no product. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Sets the value of a product. */
  set(productId: string, value: T): void {
    const hash = hash53(productId);
    const first = this.#entries.get(hash) ?? null;
    let entry = first;
    while (entry && entry.productId !== productId) entry = entry.next;
    if (entry) entry.value = value;
    else this.#entries.set(hash, { productId, value, next: first });
  }

  /** Returns the value of the product in a row; undefined if the table has none. */
  get(block: Columns, row: number): T | undefined {
    let entry = this.#entries.get(block.idHash[row]) ?? null;
    while (entry && !hasProductId(block, row, entry.productId)) entry = entry.next;
    return entry?.value;
  }

  /** Returns the value of a product; undefined if the table has none. */
  ofProduct(productId: string): T | undefined {
    let entry = this.#entries.get(hash53(productId)) ?? null;
    while (entry && entry.productId !== productId) entry = entry.next;
    return entry?.value;
  }

  /** Returns all values. */
  values(): T[] {
    const values: T[] = [];
    this.#entries.forEach((first) => {
      for (let entry: Entry<T> | null = first; entry; entry = entry.next) values.push(entry.value);
    });
    return values;
  }
}
