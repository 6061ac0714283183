import { z } from "zod";
import type { Neighbour } from "../../model/columns/columns.ts";
import { addressOfProduct, type CellProduct, type ChildReport } from "../../model/retrieval/cell-state.ts";
import type { ProductChange } from "../../workers/shared/contracts/product.ts";
import type { ProductTotals } from "../../workers/shared/contracts/totals.ts";
import type { Progress } from "./handover.ts";
import type { Dirt } from "./pace.ts";

/** What a cell knows of itself. */
export interface CellState extends Dirt {
  application: string;
  cell: string;
  /** Of the last tile. */
  version: number;
  phase: Phase;
  /** While it splits: how far it is. */
  progress: Progress | null;
  /** Of the last that it handed down, or was handed. */
  turn: number;
}

/**
 * Where a cell is on its way from holding products to standing above cells that do. `filling`: made by a parent that splits,
 * shown to nobody yet. `splitting`: takes changes and shows its products, and hands them to its children. `handed`: its children
 * have everything and take the changes, it shows what it had. `split`: its children hold what it held.
 */
export type Phase = "leaf" | "filling" | "splitting" | "handed" | "split";

/** State of a cell of which nothing is known. */
export const untouched = {
  version: 0,
  changed: false,
  counted: 0,
  shown: 0,
  publishedAt: 0,
  phase: "leaf",
  progress: null,
  turn: 0,
} as const;

/** A step to a product, with the weight that it adds. */
export interface Step {
  /** Of the event that made it: those that an event makes in one cell come together. */
  key: string;
  from: string;
  to: string;
  toCell: string;
  weight: number;
}

/** A product as the records of truth have it. */
export type Replacement = Pick<CellProduct, "change" | "totals">;

/** Followers kept for a product; of these a tile shows the strongest. */
const followersKept = 64;
/** Keys of steps are remembered so long, in seconds: longer than any message is retried. */
const keySeconds = 14 * 86_400;

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
      CREATE TABLE IF NOT EXISTS totals (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS followers (
        id TEXT NOT NULL, next TEXT NOT NULL, cell TEXT NOT NULL, weight REAL NOT NULL, PRIMARY KEY (id, next)
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS steps (key TEXT PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;
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

  forward(productId: string): string | null {
    const rows = this.#sql
      .exec<{ cell: string | null }>("SELECT cell FROM forwards WHERE id = ?", productId)
      .toArray();
    return rows[0]?.cell ?? null;
  }

  /** Keeps those totals that are newer than what is here. Answers by how many interactions they grew. */
  putTotals(totals: readonly ProductTotals[]): number {
    const before = new Map(
      this.#sql
        .exec<{ id: string; version: number }>(
          "SELECT t.id, t.version FROM json_each(?) e CROSS JOIN totals t ON t.id = e.value",
          JSON.stringify(totals.map(({ productId }) => productId)),
        )
        .toArray()
        .map(({ id, version }) => [id, version]),
    );
    let grown = 0;
    for (const each of totals) {
      const known = before.get(each.productId) ?? -1;
      if (each.version <= known) continue;
      this.#sql.exec(
        "INSERT INTO totals VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, body = excluded.body",
        each.productId,
        each.version,
        JSON.stringify(each),
      );
      before.set(each.productId, each.version);
      grown += each.version - Math.max(0, known);
    }
    return grown;
  }

  /**
   * Counts the steps of each key once, however often they come, also in one list. A key is remembered from `now` on,
   * seconds, and not from when the step was made: history is older than that when it comes, and comes twice too.
   */
  addSteps(steps: readonly Step[], now: number): void {
    if (steps.length === 0) return;
    const news = new Set(
      this.#sql
        .exec<{ key: string }>(
          `INSERT INTO steps SELECT value, ?2 FROM json_each(?1) WHERE true
           ON CONFLICT DO NOTHING RETURNING key`,
          JSON.stringify([...new Set(steps.map(({ key }) => key))]),
          now,
        )
        .toArray()
        .map(({ key }) => key),
    );
    const added = new Map<string, Step>();
    const counted = new Set<string>();
    for (const step of steps) {
      // What two messages of one batch say is said once.
      const same = `${step.key} ${step.from} ${step.to} ${step.weight}`;
      if (!news.has(step.key) || counted.has(same)) continue;
      counted.add(same);
      // Ids hold no space.
      const pair = `${step.from} ${step.to}`;
      added.set(pair, { ...step, weight: step.weight + (added.get(pair)?.weight ?? 0) });
    }
    for (const { from, to, toCell, weight } of added.values())
      this.#sql.exec(
        `INSERT INTO followers VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET weight = weight + excluded.weight, cell = excluded.cell`,
        from,
        to,
        toCell,
        weight,
      );
  }

  /** Forgets old keys of steps, and the weakest followers of products that have too many. */
  prune(now: number): void {
    this.#sql.exec("DELETE FROM steps WHERE time < ?", now - keySeconds);
    const crowded = this.#sql
      .exec<{ id: string }>("SELECT id FROM followers GROUP BY id HAVING count(*) > ?", followersKept)
      .toArray();
    for (const { id } of crowded)
      this.#sql.exec(
        `DELETE FROM followers WHERE id = ?1 AND next NOT IN
         (SELECT next FROM followers WHERE id = ?1 ORDER BY weight DESC, next LIMIT ?2)`,
        id,
        followersKept,
      );
  }

  /** All products with what is known of them. What lies here was parsed at the door. */
  products(): CellProduct[] {
    const followers = new Map<string, Neighbour[]>();
    for (const row of this.#sql.exec<{ id: string; next: string; cell: string; weight: number }>(
      "SELECT id, next, cell, weight FROM followers",
    )) {
      const list = followers.get(row.id) ?? [];
      list.push({ productId: row.next, cell: row.cell, weight: row.weight });
      followers.set(row.id, list);
    }
    const products: CellProduct[] = [];
    for (const row of this.#sql.exec<{ id: string; body: string; totals: string | null }>(
      "SELECT p.id, p.body, t.body AS totals FROM products p LEFT JOIN totals t ON t.id = p.id ORDER BY p.id",
    ))
      products.push({
        ...parsedBody(row.body),
        totals: row.totals === null ? null : JSON.parse(row.totals),
        followers: followers.get(row.id) ?? [],
      });
    return products;
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

  /** Forgets what followed products, and which steps were counted. */
  forgetSteps(): void {
    this.#sql.exec("DELETE FROM followers; DELETE FROM steps;");
  }

  /** Holds of a range these products with their totals and nothing else. */
  replace(within: (cell: string, id: string) => boolean, products: readonly Replacement[]): void {
    const gone = this.#sql
      .exec<{ id: string; cell: string }>("SELECT id, body ->> 'cell' AS cell FROM products")
      .toArray()
      .filter(({ id, cell }) => within(cell, id))
      .map(({ id }) => id);
    const ids = JSON.stringify([...gone, ...products.map(({ change }) => change.productId)]);
    for (const table of ["products", "totals", "forwards"])
      this.#sql.exec(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, ids);
    for (const { change, totals } of products) {
      const { productId, version } = change;
      this.#sql.exec("INSERT INTO products VALUES (?, ?, ?)", productId, version, bodyOf(change));
      if (totals)
        this.#sql.exec(
          "INSERT INTO totals VALUES (?, ?, ?)",
          productId,
          totals.version,
          JSON.stringify(totals),
        );
    }
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
