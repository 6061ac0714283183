import { CountedKeys, type KeyPart } from "./counted-keys.ts";

/** How far a cell that splits has handed its content down. */
export type Progress =
  /** Its children forget what an attempt before told them. */
  | { step: "clear" }
  /** What is known of products, in the order of their ids, up to `after`. */
  | { step: "products"; after: string }
  /** Keys of events that were counted, part by part. */
  | { step: "keys"; after: number }
  /** What changed meanwhile. */
  | { step: "changes" };

/** All that a cell knows of one product; null where it knows nothing. Bodies are JSON, as they lie in the tables. */
export interface MigratedProduct {
  id: string;
  product: { version: number; body: string } | null;
  hours: { before: number; body: string } | null;
  nextProducts: string | null;
  forward: { version: number; cell: string | null } | null;
}

/** What a cell that splits tells one of its children. It holds nothing else before its parent opens it. */
export interface Migrated {
  /** Grows with each; what is not newer is late, and dropped. */
  turn: number;
  clear: boolean;
  products: MigratedProduct[];
  keys: KeyPart[];
}

/** Products of one step, and parts of keys: what one call takes to each child at most. */
export const migrationBatchSize = 250;
const partsAtOnce = 16;

/** What one step has to hand down, and where it leaves the cell. */
export interface Batch {
  clear: boolean;
  products: MigratedProduct[];
  keys: KeyPart[];
  /** Products that another child may have heard of before: those are told too. */
  toAll: boolean;
  next: Progress;
  /** The last mark of a change that this batch brings. */
  upTo: number;
  /** Nothing is left after this. */
  last: boolean;
}

/**
 * The tables of a cell as one that splits reads them, and its child fills them: nothing waits to be folded in either. Every method
 * is synchronous.
 */
export class ShardMigration {
  readonly #sql: SqlStorage;
  readonly #keys: CountedKeys;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#keys = new CountedKeys(sql);
  }

  /** Notes that products and parts of keys changed while they are handed down. */
  mark(products: Iterable<string>, keys: Iterable<number>): void {
    this.#sql.exec(
      "INSERT INTO changes (kind, id) SELECT 'product', value FROM json_each(?)",
      JSON.stringify([...new Set(products)]),
    );
    this.#sql.exec(
      "INSERT INTO changes (kind, id) SELECT 'key', value FROM json_each(?)",
      JSON.stringify([...new Set(keys)]),
    );
  }

  unmark(upTo: number): void {
    this.#sql.exec("DELETE FROM changes WHERE seq <= ?", upTo);
  }

  /** Forgets everything but the children's reports. */
  clear(): void {
    this.#sql.exec(
      `DELETE FROM products; DELETE FROM hours; DELETE FROM following; DELETE FROM counted; DELETE FROM news;
       DELETE FROM forwards; DELETE FROM changes;`,
    );
  }

  /** What comes after some progress. */
  batch(progress: Progress): Batch {
    const none = { clear: false, products: [], keys: [], toAll: false, upTo: 0, last: false };
    switch (progress.step) {
      case "clear":
        return { ...none, clear: true, next: { step: "products", after: "" } };
      case "products": {
        const ids = this.#idsAfter(progress.after);
        const after = ids.at(-1);
        const next: Progress = after === undefined ? { step: "keys", after: 0 } : { step: "products", after };
        return { ...none, products: this.#known(ids), next };
      }
      case "keys": {
        const keys = this.#parts("part > ? ORDER BY part LIMIT ?", progress.after, partsAtOnce);
        const after = keys.at(-1)?.part;
        const next: Progress = after === undefined ? { step: "changes" } : { step: "keys", after };
        return { ...none, keys, next };
      }
      case "changes": {
        const marks = this.#sql
          .exec<{ seq: number; kind: string; id: string }>(
            "SELECT seq, kind, id FROM changes ORDER BY seq LIMIT ?",
            migrationBatchSize + 1,
          )
          .toArray();
        const last = marks.length <= migrationBatchSize;
        const taken = last ? marks : marks.slice(0, -1);
        const of = (kind: string) => [
          ...new Set(taken.filter((mark) => mark.kind === kind).map(({ id }) => id)),
        ];
        return {
          ...none,
          products: this.#known(of("product")),
          keys: this.#parts(
            "part IN (SELECT value FROM json_each(?))",
            JSON.stringify(of("key").map(Number)),
          ),
          toAll: true,
          next: progress,
          upTo: taken.at(-1)?.seq ?? 0,
          last,
        };
      }
    }
  }

  /** Holds what is told of products instead of what was told of them before. */
  take({ clear, products, keys }: Migrated): void {
    if (clear) this.clear();
    const sql = this.#sql;
    const ids = JSON.stringify(products.map(({ id }) => id));
    for (const table of ["products", "hours", "following", "forwards"])
      sql.exec(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, ids);
    for (const { id, product, hours, nextProducts, forward } of products) {
      if (product) sql.exec("INSERT INTO products VALUES (?, ?, ?)", id, product.version, product.body);
      if (hours) sql.exec("INSERT INTO hours VALUES (?, ?, ?)", id, hours.before, hours.body);
      if (nextProducts !== null) sql.exec("INSERT INTO following VALUES (?, ?)", id, nextProducts);
      if (forward) sql.exec("INSERT INTO forwards VALUES (?, ?, ?)", id, forward.version, forward.cell);
    }
    for (const part of keys) this.#keys.put(part);
  }

  #idsAfter(after: string): string[] {
    const part = (table: string) =>
      `SELECT id FROM (SELECT DISTINCT id FROM ${table} WHERE id > ?1 ORDER BY id LIMIT ?2)`;
    return this.#sql
      .exec<{ id: string }>(
        `${["products", "hours", "following", "forwards"].map(part).join(" UNION ")} ORDER BY id LIMIT ?2`,
        after,
        migrationBatchSize,
      )
      .toArray()
      .map(({ id }) => id);
  }

  #parts(where: string, ...bindings: SqlStorageValue[]): KeyPart[] {
    return this.#sql
      .exec<KeyPart & Record<string, SqlStorageValue>>(`SELECT * FROM counted WHERE ${where}`, ...bindings)
      .toArray();
  }

  #known(ids: string[]): MigratedProduct[] {
    const list = JSON.stringify(ids);
    const rows = <T extends Record<string, SqlStorageValue>>(table: string): T[] =>
      this.#sql
        .exec<T>(`SELECT t.* FROM json_each(?) e CROSS JOIN ${table} t ON t.id = e.value`, list)
        .toArray();
    const known = new Map<string, MigratedProduct>(
      ids.map((id) => [id, { id, product: null, hours: null, nextProducts: null, forward: null }]),
    );
    const of = (id: string): MigratedProduct => known.get(id) as MigratedProduct;
    for (const { id, version, body } of rows<{ id: string; version: number; body: string }>("products"))
      of(id).product = { version, body };
    for (const { id, before, body } of rows<{ id: string; before: number; body: string }>("hours"))
      of(id).hours = { before, body };
    for (const { id, body } of rows<{ id: string; body: string }>("following")) of(id).nextProducts = body;
    for (const { id, version, cell } of rows<{ id: string; version: number; cell: string | null }>(
      "forwards",
    ))
      of(id).forward = { version, cell };
    return [...known.values()];
  }
}

/** Where a handed product lies; null where it is not here, or no longer. */
const addressIn = ({ product }: MigratedProduct): string | null =>
  product ? (JSON.parse(product.body) as { cell: string }).cell : null;

/**
 * A batch by child. A product goes to the child that its address is under; what is known of one that is not here goes to
 * all, since it says nothing of an address. Who asks another child for a product that moved within the cell is led on.
 */
export function partsOf(
  batch: Batch,
  children: readonly string[],
  childOf: (address: string, id: string) => string | null,
): Map<string, Omit<Migrated, "turn">> {
  const parts = new Map(
    children.map((child) => [
      child,
      { clear: batch.clear, products: [] as MigratedProduct[], keys: batch.keys },
    ]),
  );
  for (const each of batch.products) {
    const address = addressIn(each);
    const home = address === null ? null : childOf(address, each.id);
    for (const [child, part] of parts) {
      if (home === null || child === home) part.products.push(each);
      else if (batch.toAll || each.forward) {
        const forward = each.forward && each.product && { version: each.product.version, cell: address };
        part.products.push({ id: each.id, product: null, hours: null, nextProducts: null, forward });
      }
    }
  }
  for (const [child, part] of parts)
    if (!part.clear && part.products.length === 0 && part.keys.length === 0) parts.delete(child);
  return parts;
}
