import { z } from "zod";
import { addressOfProduct, type CellProduct, type ChildReport } from "../../model/retrieval/cell-state.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import type { ProductTotals } from "../../shared/contracts/totals.ts";
import type { Activity } from "./activity.ts";
import { type CellState, untouched } from "./state.ts";

/** A product as the records of truth have it. */
export interface Replacement {
  change: ProductChange;
  totals: ProductTotals | null;
}

const childBlock = z.object({
  cell: z.string(),
  count: z.number(),
  version: z.number(),
  lat: z.number(),
  lon: z.number(),
  radiusKm: z.number(),
});

/** A product as it lies in the table: with its address, which is not computed again for each tile. */
const bodyOf = (change: ProductChange): string =>
  JSON.stringify({ ...change, cell: addressOfProduct(change) });

function parsedBody(body: string): { change: ProductChange; cell: string } {
  const { cell, ...change } = JSON.parse(body) as ProductChange & { cell: string };
  return { change, cell };
}

/** The tables of one cell. Every method is synchronous: callers wrap what belongs together in one transaction. */
export class CellStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Creates the tables; nothing is written to an object that is only read. */
  migrate(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS products (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS forwards (id TEXT PRIMARY KEY, version INTEGER NOT NULL, cell TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS children (cell TEXT PRIMARY KEY, block TEXT NOT NULL, best BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL);
    `);
  }

  /** Whether {@link migrate} ever ran here. */
  exists(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
  }

  /** The cell's state; null before {@link setState}. */
  state(): CellState | null {
    const rows = this.#sql.exec<{ value: string }>("SELECT value FROM meta WHERE name = 'state'").toArray();
    return rows[0] ? { ...untouched, ...JSON.parse(rows[0].value) } : null;
  }

  setState(state: CellState): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES ('state', ?)", JSON.stringify(state));
  }

  /** Keeps a change if it is newer than what is here. Answers whether it was. */
  putProduct(change: ProductChange): boolean {
    return (
      this.#sql.exec(
        `INSERT INTO products VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body WHERE excluded.version > version`,
        change.productId,
        change.version,
        bodyOf(change),
      ).rowsWritten > 0
    );
  }

  /** Drops a product that is deleted or lives in `to` now, if this is news. Answers whether it was here. */
  dropProduct(productId: string, version: number, to: string | null): boolean {
    const gone =
      this.#sql.exec("DELETE FROM products WHERE id = ? AND version < ?", productId, version).rowsWritten > 0;
    this.#sql.exec(
      `INSERT INTO forwards VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, cell = excluded.cell WHERE excluded.version > version`,
      productId,
      version,
      to,
    );
    return gone;
  }

  /** The version at which a product left this cell; 0 where it did not. */
  leftAt(productId: string): number {
    const rows = this.#sql
      .exec<{ version: number }>("SELECT version FROM forwards WHERE id = ?", productId)
      .toArray();
    return rows[0]?.version ?? 0;
  }

  /** Which of some products are not here. */
  lacking(productIds: readonly string[]): string[] {
    if (productIds.length === 0) return [];
    return this.#sql
      .exec<{ id: string }>(
        `SELECT e.value AS id FROM json_each(?) e
         WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.id = e.value)`,
        JSON.stringify(productIds),
      )
      .toArray()
      .map(({ id }) => id);
  }

  /** Which of some products were here and are not any more, and where they are; null for those that are gone. */
  leftAmong(productIds: readonly string[]): Map<string, string | null> {
    const rows = this.#sql
      .exec<{ id: string; cell: string | null }>(
        `SELECT f.id, f.cell FROM json_each(?) e CROSS JOIN forwards f ON f.id = e.value
         WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.id = f.id)`,
        JSON.stringify(productIds),
      )
      .toArray();
    return new Map(rows.map(({ id, cell }) => [id, cell]));
  }

  forward(productId: string): string | null {
    const rows = this.#sql
      .exec<{ cell: string | null }>("SELECT cell FROM forwards WHERE id = ?", productId)
      .toArray();
    return rows[0]?.cell ?? null;
  }

  /** All products with what is known of them, one at a time. What lies here was parsed at the door. */
  *products(activity: Activity): Generator<CellProduct> {
    const read = activity.reader();
    type Row = { id: string; body: string; hours: string | null; following: string | null };
    for (const { id, body, hours, following } of this.#sql.exec<Row>(
      `SELECT p.id, p.body, h.body AS hours, f.body AS following FROM products p
       LEFT JOIN hours h ON h.id = p.id LEFT JOIN following f ON f.id = p.id ORDER BY p.id`,
    ))
      yield { ...parsedBody(body), ...read(id, hours, following) };
  }

  /** Keeps a child's report if it is newer than what is here. */
  putChild(report: ChildReport): boolean {
    const rows = this.#sql
      .exec<{ block: string }>("SELECT block FROM children WHERE cell = ?", report.block.cell)
      .toArray();
    if (rows[0] && childBlock.parse(JSON.parse(rows[0].block)).version >= report.block.version) return false;
    this.#sql.exec(
      "INSERT OR REPLACE INTO children VALUES (?, ?, ?)",
      report.block.cell,
      JSON.stringify(report.block),
      report.best,
    );
    return true;
  }

  /** Holds of a range these products and nothing else. Answers the ids of all that were, or are now, in it. */
  replace(within: (cell: string, id: string) => boolean, products: readonly Replacement[]): string[] {
    const gone = this.#sql
      .exec<{ id: string; cell: string }>("SELECT id, body ->> 'cell' AS cell FROM products")
      .toArray()
      .filter(({ id, cell }) => within(cell, id))
      .map(({ id }) => id);
    const ids = [...gone, ...products.map(({ change }) => change.productId)];
    for (const table of ["products", "forwards"])
      this.#sql.exec(
        `DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(ids),
      );
    for (const { change } of products)
      this.#sql.exec(
        "INSERT INTO products VALUES (?, ?, ?)",
        change.productId,
        change.version,
        bodyOf(change),
      );
    return ids;
  }

  /** Names of the children that ever reported. */
  childCells(): string[] {
    return this.#sql
      .exec<{ cell: string }>("SELECT cell FROM children ORDER BY cell")
      .toArray()
      .map(({ cell }) => cell);
  }

  /** Reports of the children that have products. */
  children(): ChildReport[] {
    return this.#sql
      .exec<{ block: string; best: ArrayBuffer }>("SELECT block, best FROM children ORDER BY cell")
      .toArray()
      .map(({ block, best }) => ({ block: childBlock.parse(JSON.parse(block)), best }))
      .filter(({ block }) => block.count > 0);
  }
}
