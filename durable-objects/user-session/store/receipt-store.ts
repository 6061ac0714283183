/** A receipt. Until the click window closes, it includes what the ranker saw. */
export interface StoredReceipt {
  /** Id of the recommendation. */
  id: string;
  /** Seconds since the epoch. */
  time: number;
  /** JSON. */
  receipt: string;
  /** The logged candidates and their feature hash, as JSON; null after the click window. */
  rows: string | null;
  /** The packed features of these candidates; null after the click window. */
  features: Uint8Array | null;
}

/** What the user did with a product of a recommendation. */
interface Outcome {
  receipt: string;
  product: string;
  type: string;
}

/** Maximum number of outcomes that wait for their impression. */
const maxEarlyOutcomes = 100;

/** An open click window. */
export interface OpenWindow {
  /** Id of the recommendation. */
  id: string;
  /** When the recommendation was made, seconds since the epoch. */
  time: number;
  /** Number of impressions that were stored in the UTC hour, including this one; 0 if it is not known. */
  inHour: number;
}

/**
 * SQL that creates the table of receipts. Its key begins with `open`, which is 1 until the click window closes. So the
 * open receipts lie together, and what concerns them reads no other receipt. To close one is one row written, although
 * it changes the key.
 */
const createReceipts = `CREATE TABLE IF NOT EXISTS receipts (
  open INTEGER NOT NULL, id TEXT NOT NULL, time REAL NOT NULL, in_hour INTEGER NOT NULL, receipt TEXT NOT NULL,
  rows TEXT, features BLOB, PRIMARY KEY (open, id)) WITHOUT ROWID;`;

/** SQL condition: no receipt, open or closed, has the id `id` of the selected row. */
const isNewReceipt = "NOT EXISTS (SELECT 1 FROM receipts r WHERE r.open IN (0, 1) AND r.id = new.id)";

/** The receipts of one user's recommendations, and the outcomes of what they showed. Every method is synchronous. */
export class ReceiptStore {
  readonly #sql: SqlStorage;
  readonly #hasTables: () => boolean;
  /** Outcomes whose impression has not come yet, oldest first. */
  #earlyOutcomes: Outcome[] = [];

  constructor(sql: SqlStorage, hasTables: () => boolean) {
    this.#sql = sql;
    this.#hasTables = hasTables;
  }

  /** Drops what is in memory, after a transaction failed or the user was erased. */
  invalidate(): void {
    this.#earlyOutcomes = [];
  }

  createTables(): void {
    this.#sql.exec(`
      ${createReceipts}
      CREATE TABLE IF NOT EXISTS outcomes (
        receipt TEXT NOT NULL, product TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (receipt, product, type)
      ) WITHOUT ROWID;
    `);
  }

  /** Gives the table of version 0.2, whose key is the id, the present key. Call it within a transaction. */
  upgrade(): void {
    this.#sql.exec(`
      ALTER TABLE receipts RENAME TO receipts_by_id;
      ${createReceipts}
      INSERT INTO receipts SELECT rows IS NOT NULL, id, time, 0, receipt, rows, features FROM receipts_by_id;
      DROP TABLE receipts_by_id;
    `);
  }

  /**
   * Stores a receipt whose click window is open, unless there is one with its id. Returns whether it was stored.
   * `inHour` is as in {@link OpenWindow}. Outcomes that came before are stored with it.
   */
  put({ id, time, receipt, rows, features }: StoredReceipt, inHour: number): boolean {
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO receipts SELECT 1, id, ?, ?, ?, ?, ? FROM (SELECT ? AS id) new WHERE ${isNewReceipt}`,
      ...[time, inHour, receipt, rows, features, id],
    );
    if (rowsWritten === 0) return false;
    const early = this.#earlyOutcomes.filter((each) => each.receipt === id);
    for (const { product, type } of early) this.addOutcome(id, product, type);
    if (early.length > 0) this.#earlyOutcomes = this.#earlyOutcomes.filter((each) => each.receipt !== id);
    return true;
  }

  /** Takes the receipts of another user that a merge has staged, except those whose ids are known. */
  adopt(pseudonym: string): void {
    this.#sql.exec(
      `INSERT INTO receipts SELECT rows IS NOT NULL, id, time, 0, receipt, rows, features
       FROM staged_receipts new WHERE pseudonym = ? AND ${isNewReceipt}`,
      pseudonym,
    );
    this.#sql.exec(
      `INSERT INTO outcomes SELECT receipt, product, type FROM staged_outcomes WHERE pseudonym = ?
       ON CONFLICT DO NOTHING`,
      pseudonym,
    );
  }

  /** Returns a receipt, and whether its click window is open; null if there is none with this id. */
  find(id: string): (Pick<StoredReceipt, "time" | "receipt"> & { isOpen: boolean }) | null {
    const [row] = this.#sql
      .exec<{ time: number; receipt: string; open: number }>(
        "SELECT time, receipt, open FROM receipts WHERE open IN (0, 1) AND id = ?",
        id,
      )
      .toArray();
    return row ? { time: row.time, receipt: row.receipt, isOpen: row.open === 1 } : null;
  }

  /** Returns receipts, open and closed, in the order of their ids, after `after`. */
  after(after: string, limit: number): StoredReceipt[] {
    if (!this.#hasTables()) return [];
    const page = (open: 0 | 1): string =>
      `SELECT * FROM (SELECT id, time, receipt, rows, features FROM receipts
         WHERE open = ${open} AND id > ?1 ORDER BY id LIMIT ?2)`;
    return this.#sql
      .exec<StoredReceipt & Record<string, SqlStorageValue>>(
        `${page(0)} UNION ALL ${page(1)} ORDER BY id LIMIT ?2`,
        after,
        limit,
      )
      .toArray();
  }

  /** Returns the open click windows. */
  openWindows(): OpenWindow[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<OpenWindow & Record<string, SqlStorageValue>>(
        "SELECT id, time, in_hour AS inHour FROM receipts WHERE open = 1",
      )
      .toArray();
  }

  /** Returns a receipt whose click window is open; null if there is none with this id. */
  findOpen(id: string): StoredReceipt | null {
    const [row] = this.#sql
      .exec<Omit<StoredReceipt, "features"> & { features: ArrayBuffer | null }>(
        "SELECT id, time, receipt, rows, features FROM receipts WHERE open = 1 AND id = ?",
        id,
      )
      .toArray();
    return row ? { ...row, features: row.features && new Uint8Array(row.features) } : null;
  }

  /**
   * Returns the products that lists whose click window is open showed, the oldest list first. Lists whose request says
   * `shown: keep`, and those of earlier versions, are left out.
   */
  openLists(): { time: number; productIds: string[] }[] {
    return this.#sql
      .exec<{ time: number; items: string }>(
        `SELECT time, receipt ->> '$.items' AS items FROM receipts
         WHERE open = 1 AND receipt ->> '$.input.shown' = 'fade' ORDER BY time`,
      )
      .toArray()
      .map(({ time, items }) => ({
        time,
        productIds: (JSON.parse(items) as { productId: string }[]).map(({ productId }) => productId),
      }));
  }

  /** Deletes the part of a receipt that the ranker saw, because its click window has closed. */
  close(id: string): void {
    this.#sql.exec(
      "UPDATE receipts SET open = 0, rows = NULL, features = NULL WHERE open = 1 AND id = ?",
      id,
    );
  }

  /** Deletes closed receipts from before `before` (seconds since the epoch), and outcomes of receipts from before. */
  prune(before: number): void {
    this.#sql.exec("DELETE FROM outcomes WHERE receipt IN (SELECT id FROM receipts WHERE time < ?)", before);
    this.#sql.exec("DELETE FROM receipts WHERE open = 0 AND time < ?", before);
  }

  /** Stores what the user did with a product of a recommendation, once for each type. */
  addOutcome(receipt: string, product: string, type: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?)", receipt, product, type);
  }

  /**
   * Keeps an outcome of a recommendation that is not known until its impression comes: it may be on its way. Most ids
   * that are not known never come, for example those of lists that are not stored, so this writes no row.
   */
  addEarlyOutcome(receipt: string, product: string, type: string): void {
    this.#earlyOutcomes.push({ receipt, product, type });
    if (this.#earlyOutcomes.length > maxEarlyOutcomes) this.#earlyOutcomes.shift();
  }

  /** Returns the outcomes of the open receipts of later pages of a list, by the recommendation id of its first page. */
  outcomesOfLaterPages(first: string): { product: string; type: string }[] {
    return this.#sql
      .exec<{ product: string; type: string }>(
        `SELECT product, type FROM outcomes WHERE receipt IN
           (SELECT id FROM receipts WHERE open = 1 AND json_extract(receipt, '$.continues') = ?)`,
        first,
      )
      .toArray();
  }

  /** Returns the outcomes of a receipt. */
  outcomes(receipt: string): { product: string; type: string }[] {
    return this.#sql
      .exec<{ product: string; type: string }>(
        "SELECT product, type FROM outcomes WHERE receipt = ?",
        receipt,
      )
      .toArray();
  }
}
