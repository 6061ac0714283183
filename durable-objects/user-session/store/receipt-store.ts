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

/** The receipts of one user's recommendations, and the outcomes of what they showed. Every method is synchronous. */
export class ReceiptStore {
  readonly #sql: SqlStorage;
  readonly #hasTables: () => boolean;

  constructor(sql: SqlStorage, hasTables: () => boolean) {
    this.#sql = sql;
    this.#hasTables = hasTables;
  }

  /** Stores a receipt, unless there is one with its id. */
  put({ id, time, receipt, rows, features }: StoredReceipt): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)",
      id,
      time,
      receipt,
      rows,
      features,
    );
  }

  /** Returns a receipt without its features; null if there is none with this id. */
  find(id: string): Omit<StoredReceipt, "features"> | null {
    return (
      this.#sql
        .exec<Omit<StoredReceipt, "features"> & Record<string, SqlStorageValue>>(
          "SELECT id, time, receipt, rows FROM receipts WHERE id = ?",
          id,
        )
        .toArray()[0] ?? null
    );
  }

  /** Returns the number of receipts from `since` on, in seconds since the epoch. */
  countSince(since: number): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM receipts WHERE time >= ?", since).one().n;
  }

  /** Returns receipts in the order of their ids, after `after`. */
  after(after: string, limit: number): StoredReceipt[] {
    if (!this.#hasTables()) return [];
    return this.#sql
      .exec<StoredReceipt & Record<string, SqlStorageValue>>(
        "SELECT * FROM receipts WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Returns receipts from before `before` (seconds) whose click window is not closed, oldest first. */
  toClose(before: number, limit: number): StoredReceipt[] {
    return this.#sql
      .exec<Omit<StoredReceipt, "features"> & { features: ArrayBuffer | null }>(
        "SELECT * FROM receipts WHERE rows IS NOT NULL AND time < ? ORDER BY time LIMIT ?",
        before,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, features: row.features && new Uint8Array(row.features) }));
  }

  /** Returns the time of the oldest receipt whose click window is not closed, in seconds; null if there is none. */
  oldestOpen(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(time) AS at FROM receipts WHERE rows IS NOT NULL")
      .one().at;
  }

  /** Deletes the part of a receipt that the ranker saw, because its click window has closed. */
  close(id: string): void {
    this.#sql.exec("UPDATE receipts SET rows = NULL, features = NULL WHERE id = ?", id);
  }

  /** Stores what the user did with a product of a recommendation, once for each type. */
  addOutcome(receipt: string, product: string, type: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?)", receipt, product, type);
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
