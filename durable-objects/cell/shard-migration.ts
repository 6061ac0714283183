import { CountedKeys, type KeyChunk } from "./counted-keys.ts";

/** How far a cell that splits has migrated its content to its children. */
export type MigrationProgress =
  /** The children delete what an earlier attempt sent. */
  | { step: "clear" }
  /** Products in the order of their ids, up to `after`, are migrated. */
  | { step: "products"; after: string }
  /** Chunks of counted event keys up to number `after` are migrated. */
  | { step: "keys"; after: number }
  /** Products and keys that changed during the migration are being migrated. */
  | { step: "changes" };

/** The rows that a cell stores for one product; null where it has no row. Bodies are JSON, as in the tables. */
export interface MigratedProduct {
  id: string;
  product: { version: number; body: string } | null;
  hours: { exactFrom: number; body: string } | null;
  nextProducts: string | null;
  forward: { version: number; cell: string | null } | null;
}

/** What a cell that splits sends to one child in one call. Until a child is activated, it stores nothing else. */
export interface MigrationPart {
  /** Sequence number. A child drops parts whose number is not above the last one that it received. */
  seq: number;
  /** Whether the child deletes everything that earlier parts contained. */
  clear: boolean;
  products: MigratedProduct[];
  keyChunks: KeyChunk[];
}

/** Maximum number of products in one batch. */
export const migrationBatchSize = 250;
/** Maximum number of key chunks in one batch. */
const keyChunksPerBatch = 16;

/** What one step of a migration sends to the children, and the progress after it. */
export interface MigrationBatch {
  clear: boolean;
  products: MigratedProduct[];
  keyChunks: KeyChunk[];
  /**
   * Whether every child receives every product, because another child may have received an earlier version of the
   * product.
   */
  toAllChildren: boolean;
  next: MigrationProgress;
  /** Sequence number of the last recorded change in this batch. */
  upToChange: number;
  /** Whether this batch completes the migration. */
  last: boolean;
}

/**
 * Reads the tables of a cell that splits, and fills the tables of its children. No cell of a migration has pending
 * deltas. Every method is synchronous.
 */
export class ShardMigration {
  readonly #sql: SqlStorage;
  readonly #keys: CountedKeys;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#keys = new CountedKeys(sql);
  }

  /** Records that products and key chunks changed during the migration. */
  recordChanges(productIds: Iterable<string>, keyChunks: Iterable<number>): void {
    this.#sql.exec(
      "INSERT INTO changes (kind, id) SELECT 'product', value FROM json_each(?)",
      JSON.stringify([...new Set(productIds)]),
    );
    this.#sql.exec(
      "INSERT INTO changes (kind, id) SELECT 'key', value FROM json_each(?)",
      JSON.stringify([...new Set(keyChunks)]),
    );
  }

  /** Deletes recorded changes up to a sequence number. */
  deleteChanges(upToChange: number): void {
    this.#sql.exec("DELETE FROM changes WHERE seq <= ?", upToChange);
  }

  /** Deletes everything but the children's summaries and the cell's state. */
  clear(): void {
    this.#sql.exec(
      `DELETE FROM products; DELETE FROM hours; DELETE FROM next_products; DELETE FROM counted_keys;
       DELETE FROM pending_deltas; DELETE FROM forwards; DELETE FROM changes;`,
    );
  }

  /** Returns the batch that follows `progress`. */
  nextBatch(progress: MigrationProgress): MigrationBatch {
    const emptyBatch = {
      clear: false,
      products: [],
      keyChunks: [],
      toAllChildren: false,
      upToChange: 0,
      last: false,
    };
    switch (progress.step) {
      case "clear":
        return { ...emptyBatch, clear: true, next: { step: "products", after: "" } };
      case "products": {
        const ids = this.#idsAfter(progress.after);
        const after = ids.at(-1);
        const next: MigrationProgress =
          after === undefined ? { step: "keys", after: 0 } : { step: "products", after };
        return { ...emptyBatch, products: this.#readProducts(ids), next };
      }
      case "keys": {
        const keyChunks = this.#readKeyChunks(
          "chunk > ? ORDER BY chunk LIMIT ?",
          progress.after,
          keyChunksPerBatch,
        );
        const after = keyChunks.at(-1)?.chunk;
        const next: MigrationProgress = after === undefined ? { step: "changes" } : { step: "keys", after };
        return { ...emptyBatch, keyChunks, next };
      }
      case "changes": {
        const changes = this.#sql
          .exec<{ seq: number; kind: string; id: string }>(
            "SELECT seq, kind, id FROM changes ORDER BY seq LIMIT ?",
            migrationBatchSize + 1,
          )
          .toArray();
        const last = changes.length <= migrationBatchSize;
        const included = last ? changes : changes.slice(0, -1);
        const idsOfKind = (kind: string) => [
          ...new Set(included.filter((change) => change.kind === kind).map(({ id }) => id)),
        ];
        return {
          ...emptyBatch,
          products: this.#readProducts(idsOfKind("product")),
          keyChunks: this.#readKeyChunks(
            "chunk IN (SELECT value FROM json_each(?))",
            JSON.stringify(idsOfKind("key").map(Number)),
          ),
          toAllChildren: true,
          next: progress,
          upToChange: included.at(-1)?.seq ?? 0,
          last,
        };
      }
    }
  }

  /** Stores a part from the parent. A product of the part replaces what earlier parts contained of that product. */
  receive({ clear, products, keyChunks }: MigrationPart): void {
    if (clear) this.clear();
    const sql = this.#sql;
    const ids = JSON.stringify(products.map(({ id }) => id));
    for (const table of ["products", "hours", "next_products", "forwards"])
      sql.exec(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, ids);
    for (const { id, product, hours, nextProducts, forward } of products) {
      if (product) sql.exec("INSERT INTO products VALUES (?, ?, ?)", id, product.version, product.body);
      if (hours) sql.exec("INSERT INTO hours VALUES (?, ?, ?)", id, hours.exactFrom, hours.body);
      if (nextProducts !== null) sql.exec("INSERT INTO next_products VALUES (?, ?)", id, nextProducts);
      if (forward) sql.exec("INSERT INTO forwards VALUES (?, ?, ?)", id, forward.version, forward.cell);
    }
    for (const chunk of keyChunks) this.#keys.putChunk(chunk);
  }

  #idsAfter(after: string): string[] {
    const idsIn = (table: string) =>
      `SELECT id FROM (SELECT DISTINCT id FROM ${table} WHERE id > ?1 ORDER BY id LIMIT ?2)`;
    return this.#sql
      .exec<{ id: string }>(
        `${["products", "hours", "next_products", "forwards"].map(idsIn).join(" UNION ")} ORDER BY id LIMIT ?2`,
        after,
        migrationBatchSize,
      )
      .toArray()
      .map(({ id }) => id);
  }

  #readKeyChunks(where: string, ...bindings: SqlStorageValue[]): KeyChunk[] {
    return this.#sql
      .exec<KeyChunk & Record<string, SqlStorageValue>>(
        `SELECT * FROM counted_keys WHERE ${where}`,
        ...bindings,
      )
      .toArray();
  }

  #readProducts(ids: string[]): MigratedProduct[] {
    const list = JSON.stringify(ids);
    const rows = <T extends Record<string, SqlStorageValue>>(table: string): T[] =>
      this.#sql
        .exec<T>(`SELECT t.* FROM json_each(?) e CROSS JOIN ${table} t ON t.id = e.value`, list)
        .toArray();
    const products = new Map<string, MigratedProduct>(
      ids.map((id) => [id, { id, product: null, hours: null, nextProducts: null, forward: null }]),
    );
    const productOf = (id: string): MigratedProduct => products.get(id) as MigratedProduct;
    for (const { id, version, body } of rows<{ id: string; version: number; body: string }>("products"))
      productOf(id).product = { version, body };
    for (const { id, exact_from, body } of rows<{ id: string; exact_from: number; body: string }>("hours"))
      productOf(id).hours = { exactFrom: exact_from, body };
    for (const { id, body } of rows<{ id: string; body: string }>("next_products"))
      productOf(id).nextProducts = body;
    type Forward = { id: string; version: number; cell: string | null };
    for (const { id, version, cell } of rows<Forward>("forwards")) productOf(id).forward = { version, cell };
    return [...products.values()];
  }
}

/** Returns the address of a product; null if the cell does not store it, or no longer. */
const addressIn = ({ product }: MigratedProduct): string | null =>
  product ? (JSON.parse(product.body) as { cell: string }).cell : null;

/**
 * Splits a batch into parts by child. A product is sent to the child that contains its address. Activity and forwards
 * of a product that the cell does not store are sent to all children, because its address is unknown. If a product
 * moved within the cell, the other children receive a forward to its address.
 */
export function splitByChild(
  batch: MigrationBatch,
  children: readonly string[],
  childOf: (address: string, id: string) => string | null,
): Map<string, Omit<MigrationPart, "seq">> {
  const parts = new Map(
    children.map((child) => [
      child,
      { clear: batch.clear, products: [] as MigratedProduct[], keyChunks: batch.keyChunks },
    ]),
  );
  for (const migrated of batch.products) {
    const { id, product, forward } = migrated;
    const address = addressIn(migrated);
    const target = address === null ? null : childOf(address, id);
    for (const [child, part] of parts) {
      if (target === null || child === target) part.products.push(migrated);
      else if (batch.toAllChildren || forward)
        part.products.push({
          id,
          product: null,
          hours: null,
          nextProducts: null,
          forward: forward && product && { version: product.version, cell: address },
        });
    }
  }
  for (const [child, part] of parts)
    if (!part.clear && part.products.length === 0 && part.keyChunks.length === 0) parts.delete(child);
  return parts;
}
