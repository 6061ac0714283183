import * as z from "zod";
import type { ChildSummary } from "../../model/tiles/build-tiles.ts";
import { addressOfProduct, type CellProduct } from "../../model/tiles/cell-product.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import type { ProductTotals } from "../../shared/contracts/totals.ts";
import { hasTable } from "../has-table.ts";
import type { ActivityStore } from "./activity-store.ts";
import { type CellState, initialState } from "./cell-state.ts";

/** A product and its totals, as D1 stores them. */
export interface RebuiltProduct {
  change: ProductChange;
  totals: ProductTotals | null;
}

const leafBlock = z.object({
  cell: z.string(),
  count: z.number(),
  version: z.number(),
  lat: z.number(),
  lon: z.number(),
  radiusKm: z.number(),
  content: z
    .object({
      available: z.number(),
      categories: z.string(),
      maxDiscount: z.number(),
      prices: z.record(z.string(), z.object({ min: z.number(), max: z.number() })),
    })
    .nullable()
    .default(null),
});
const childBlock = leafBlock.extend({ leaves: z.array(leafBlock).nullable().optional() });

/** A stored state: releases up to 0.2 wrote fewer fields, and whether a publication was interrupted. */
type StoredState = Pick<CellState, "application" | "cell" | "version"> &
  Partial<CellState> & { publishing?: boolean };

/** Returns a stored state, also one of a release up to 0.2. */
function decodeState(body: string): CellState {
  const { publishing = false, ...stored } = JSON.parse(body) as StoredState;
  return {
    ...initialState,
    ...stored,
    hasEarlierKey: stored.hasEarlierKey ?? stored.version > 0,
    contentChanged: (stored.contentChanged ?? false) || publishing,
  };
}

/** Encodes a product for the table, with its address, so that tiles do not compute the address again. */
const encodeProduct = (change: ProductChange): string =>
  JSON.stringify({ ...change, cell: addressOfProduct(change) });

function decodeProduct(body: string): { change: ProductChange; cell: string } {
  const { cell, ...change } = JSON.parse(body) as ProductChange & { cell: string };
  return { change, cell };
}

/**
 * The tables of one cell, except those of {@link ActivityStore}. Every method is synchronous, so that a caller can run
 * several in one transaction.
 */
export class CellStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Creates the tables. Reading a cell never creates them, so that an unknown cell stays empty. */
  createTables(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS products (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS forwards (id TEXT PRIMARY KEY, version INTEGER NOT NULL, cell TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS children (cell TEXT PRIMARY KEY, block TEXT NOT NULL, best_rows BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL);
    `);
  }

  /** Returns whether {@link createTables} ran in this object. */
  hasTables(): boolean {
    return hasTable(this.#sql, "meta");
  }

  /** Returns the cell's state; null before {@link setState}. */
  state(): CellState | null {
    const rows = this.#sql.exec<{ value: string }>("SELECT value FROM meta WHERE name = 'state'").toArray();
    return rows[0] ? decodeState(rows[0].value) : null;
  }

  setState(state: CellState): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES ('state', ?)", JSON.stringify(state));
  }

  /** Stores a product if its version is newer than the stored one. Returns whether it was. */
  putProduct(change: ProductChange): boolean {
    return (
      this.#sql.exec(
        `INSERT INTO products VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body WHERE excluded.version > version`,
        change.productId,
        change.version,
        encodeProduct(change),
      ).rowsWritten > 0
    );
  }

  /**
   * Deletes a product that was deleted or moved to the cell `to`, if `version` is newer than the stored one. Returns
   * whether the product was stored here.
   */
  deleteProduct(productId: string, version: number, to: string | null): boolean {
    const deleted =
      this.#sql.exec("DELETE FROM products WHERE id = ? AND version < ?", productId, version).rowsWritten > 0;
    this.#sql.exec(
      `INSERT INTO forwards VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, cell = excluded.cell WHERE excluded.version > version`,
      productId,
      version,
      to,
    );
    return deleted;
  }

  /** Returns the version at which a product left this cell; 0 if it never did. */
  departureVersion(productId: string): number {
    const rows = this.#sql
      .exec<{ version: number }>("SELECT version FROM forwards WHERE id = ?", productId)
      .toArray();
    return rows[0]?.version ?? 0;
  }

  /** Returns those of the products that are not stored here. */
  missingAmong(productIds: readonly string[]): string[] {
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

  /** Returns those of the products that left this cell, with their new cell; the cell of a deleted product is null. */
  departedAmong(productIds: readonly string[]): Map<string, string | null> {
    const rows = this.#sql
      .exec<{ id: string; cell: string | null }>(
        `SELECT f.id, f.cell FROM json_each(?) e CROSS JOIN forwards f ON f.id = e.value
         WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.id = f.id)`,
        JSON.stringify(productIds),
      )
      .toArray();
    return new Map(rows.map(({ id, cell }) => [id, cell]));
  }

  /** Returns the cell to which a product moved; null if it was deleted or never was in this cell. */
  forwardingCell(productId: string): string | null {
    const rows = this.#sql
      .exec<{ cell: string | null }>("SELECT cell FROM forwards WHERE id = ?", productId)
      .toArray();
    return rows[0]?.cell ?? null;
  }

  /** Yields all products with their activity, by id. The rows are not validated, because this class wrote them. */
  *products(activity: ActivityStore): Generator<CellProduct> {
    const read = activity.reader();
    type Row = { id: string; body: string; hours: string | null; nextProducts: string | null };
    for (const { id, body, hours, nextProducts } of this.#sql.exec<Row>(
      `SELECT p.id, p.body, h.body AS hours, n.body AS nextProducts FROM products p
       LEFT JOIN hours h ON h.id = p.id LEFT JOIN next_products n ON n.id = p.id ORDER BY p.id`,
    ))
      yield { ...decodeProduct(body), ...read(id, hours, nextProducts) };
  }

  /** Stores a child's summary if its version is newer than the stored one. Returns whether it was. */
  putChildSummary(summary: ChildSummary): boolean {
    const rows = this.#sql
      .exec<{ block: string }>("SELECT block FROM children WHERE cell = ?", summary.block.cell)
      .toArray();
    if (rows[0] && childBlock.parse(JSON.parse(rows[0].block)).version >= summary.block.version) return false;
    this.#sql.exec(
      "INSERT OR REPLACE INTO children VALUES (?, ?, ?)",
      summary.block.cell,
      JSON.stringify(summary.block),
      summary.bestRows,
    );
    return true;
  }

  /**
   * Replaces the products for which `isInRange` is true. Returns the ids of all products that were, or are now, in the
   * range.
   */
  replaceProducts(
    isInRange: (cell: string, id: string) => boolean,
    products: readonly RebuiltProduct[],
  ): string[] {
    const before = this.#sql
      .exec<{ id: string; cell: string }>("SELECT id, body ->> 'cell' AS cell FROM products")
      .toArray()
      .filter(({ id, cell }) => isInRange(cell, id))
      .map(({ id }) => id);
    const ids = [...before, ...products.map(({ change }) => change.productId)];
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
        encodeProduct(change),
      );
    return ids;
  }

  /** Returns the children that have sent a summary, by cell. */
  summarizedChildren(): string[] {
    return this.#sql
      .exec<{ cell: string }>("SELECT cell FROM children ORDER BY cell")
      .toArray()
      .map(({ cell }) => cell);
  }

  /** Returns the summaries of the children that have products, by cell. */
  childSummaries(): ChildSummary[] {
    return this.#sql
      .exec<{ block: string; best_rows: ArrayBuffer }>("SELECT block, best_rows FROM children ORDER BY cell")
      .toArray()
      .map(({ block, best_rows }) => ({ block: childBlock.parse(JSON.parse(block)), bestRows: best_rows }))
      .filter(({ block }) => block.count > 0);
  }
}
