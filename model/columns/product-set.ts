import type { Columns } from "./columns.ts";
import { ProductTable } from "./product-table.ts";

/** A set of product ids that tests rows. */
export class ProductSet {
  readonly #table = new ProductTable<true>();

  constructor(productIds: Iterable<string>) {
    for (const id of productIds) this.#table.set(id, true);
  }

  /** Whether the set has no product. */
  get isEmpty(): boolean {
    return this.#table.isEmpty;
  }

  /** Returns whether the set contains the product in a row. */
  has(block: Columns, row: number): boolean {
    return this.#table.get(block, row) === true;
  }
}
