import type { Columns } from "./columns.ts";
import { hash53 } from "./hash.ts";
import { HashSlots } from "./hash-slots.ts";
import { hasProductId } from "./product-identity.ts";

/** Values by product id, which rows of blocks look up: a hash finds an entry, and the id decides. */
export class ProductTable<T> {
  readonly #slots: HashSlots;
  readonly #productIds: string[] = [];
  readonly #values: T[] = [];

  /** `expected` is about the number of products. */
  constructor(expected = 0) {
    this.#slots = new HashSlots(expected);
  }

  /** Whether the table has no product. */
  get isEmpty(): boolean {
    return this.#values.length === 0;
  }

  /** Sets the value of a product. */
  set(productId: string, value: T): void {
    const hash = hash53(productId);
    const known = this.#find(hash, productId);
    if (known >= 0) {
      this.#values[known] = value;
      return;
    }
    this.#slots.add(hash);
    this.#productIds.push(productId);
    this.#values.push(value);
  }

  /** Returns the value of the product in a row; undefined if the table has none. */
  get(block: Columns, row: number): T | undefined {
    const slots = this.#slots;
    const hash = block.idHash[row];
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const entry = slots.entryAt(slot);
      if (entry < 0) return undefined;
      if (slots.hashOf(entry) === hash && hasProductId(block, row, this.#productIds[entry]))
        return this.#values[entry];
    }
  }

  /** Returns the value of a product; undefined if the table has none. */
  ofProduct(productId: string): T | undefined {
    const known = this.#find(hash53(productId), productId);
    return known < 0 ? undefined : this.#values[known];
  }

  /** Returns all values, in the order in which their products were first set. */
  values(): T[] {
    return this.#values.slice();
  }

  /** Returns the entry of a product; -1 for none. */
  #find(hash: number, productId: string): number {
    const slots = this.#slots;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const entry = slots.entryAt(slot);
      if (entry < 0 || (slots.hashOf(entry) === hash && this.#productIds[entry] === productId)) return entry;
    }
  }
}
