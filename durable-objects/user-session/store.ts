/** The queue by which a row of the outbox leaves. */
export type OutboxQueue = "interactions" | "locations";

/** A row on its way. */
export interface OpenRow {
  seq: number;
  queue: OutboxQueue;
  body: string;
  sentAt: number;
}

/** What an impression keeps until its click window closes. */
export interface StoredReceipt {
  id: string;
  time: number;
  receipt: string;
  /** Encoded training rows; null once the example has left. */
  rows: string | null;
}

/** The tables of one person. Every method is synchronous: callers wrap what belongs together in one transaction. */
export class SessionStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  migrate(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
      CREATE TABLE IF NOT EXISTS outbox (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, queue TEXT NOT NULL,
        body TEXT, time REAL NOT NULL, sent_at REAL NOT NULL);
      CREATE TABLE IF NOT EXISTS receipts (
        id TEXT PRIMARY KEY, time REAL NOT NULL, receipt TEXT NOT NULL, rows TEXT) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS outcomes (
        receipt TEXT NOT NULL, product TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (receipt, product, type)
      ) WITHOUT ROWID;
    `);
  }

  /** Whether {@link migrate} ever ran here: reading an unknown person writes nothing. */
  exists(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
  }

  get(name: string): string | null {
    return (
      this.#sql.exec<{ value: string }>("SELECT value FROM meta WHERE name = ?", name).toArray()[0]?.value ??
      null
    );
  }

  set(name: string, value: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value);
  }

  person(): Uint8Array | null {
    const rows = this.#sql.exec<{ body: ArrayBuffer }>("SELECT body FROM person WHERE id = 1").toArray();
    return rows[0] ? new Uint8Array(rows[0].body) : null;
  }

  putPerson(body: Uint8Array): void {
    this.#sql.exec("INSERT OR REPLACE INTO person VALUES (1, ?)", body);
  }

  /** The row of a known event. */
  known(id: string): { seq: number } | null {
    return this.#sql.exec<{ seq: number }>("SELECT seq FROM outbox WHERE id = ?", id).toArray()[0] ?? null;
  }

  /**
   * Adds a row and answers its sequence number. The body has none: whoever reads the row adds it. Without a body only
   * the id is kept: the row is closed from the start.
   */
  add(queue: OutboxQueue, id: string, time: number, body: object | null): number {
    return this.#sql
      .exec<{ seq: number }>(
        "INSERT INTO outbox (id, queue, body, time, sent_at) VALUES (?, ?, ?, ?, 0) RETURNING seq",
        id,
        queue,
        body === null ? null : JSON.stringify(body),
        time,
      )
      .one().seq;
  }

  /** Open rows last sent before `sentBefore`, oldest first. */
  open(sentBefore: number, limit: number): OpenRow[] {
    return this.#sql
      .exec<{ seq: number; queue: OutboxQueue; body: string; sent_at: number }>(
        "SELECT seq, queue, body, sent_at FROM outbox WHERE body IS NOT NULL AND sent_at < ? ORDER BY seq LIMIT ?",
        sentBefore,
        limit,
      )
      .toArray()
      .map(({ seq, queue, body, sent_at }) => ({ seq, queue, body, sentAt: sent_at }));
  }

  openCount(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM outbox WHERE body IS NOT NULL").one().n;
  }

  /** When the open row that was sent the longest ago was sent; null where none is open. */
  oldestSent(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(sent_at) AS at FROM outbox WHERE body IS NOT NULL")
      .one().at;
  }

  markSent(seqs: number[], now: number): void {
    this.#sql.exec(
      "UPDATE outbox SET sent_at = ? WHERE seq IN (SELECT value FROM json_each(?))",
      now,
      JSON.stringify(seqs),
    );
  }

  /** Closes rows: what they said is where it belongs. Their ids stay, so that a repeated event is known. */
  confirm(seqs: number[]): void {
    this.#sql.exec(
      "UPDATE outbox SET body = NULL WHERE seq IN (SELECT value FROM json_each(?)) AND body IS NOT NULL",
      JSON.stringify(seqs),
    );
  }

  putReceipt({ id, time, receipt, rows }: StoredReceipt): void {
    this.#sql.exec("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?)", id, time, receipt, rows);
  }

  receipt(id: string): StoredReceipt | null {
    return (
      this.#sql
        .exec<StoredReceipt & Record<string, SqlStorageValue>>("SELECT * FROM receipts WHERE id = ?", id)
        .toArray()[0] ?? null
    );
  }

  /** Receipts whose example has not left, made before `before`. */
  closing(before: number, limit: number): StoredReceipt[] {
    return this.#sql
      .exec<StoredReceipt & Record<string, SqlStorageValue>>(
        "SELECT * FROM receipts WHERE rows IS NOT NULL AND time < ? ORDER BY time LIMIT ?",
        before,
        limit,
      )
      .toArray();
  }

  oldestOpenReceipt(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(time) AS at FROM receipts WHERE rows IS NOT NULL")
      .one().at;
  }

  closeReceipt(id: string): void {
    this.#sql.exec("UPDATE receipts SET rows = NULL WHERE id = ?", id);
  }

  addOutcome(receipt: string, product: string, type: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?)", receipt, product, type);
  }

  outcomes(receipt: string): { product: string; type: string }[] {
    return this.#sql
      .exec<{ product: string; type: string }>(
        "SELECT product, type FROM outcomes WHERE receipt = ?",
        receipt,
      )
      .toArray();
  }

  /** Forgets closed rows and receipts from before `before`. */
  prune(before: number): void {
    this.#sql.exec("DELETE FROM outbox WHERE body IS NULL AND time < ?", before);
    this.#sql.exec("DELETE FROM outcomes WHERE receipt IN (SELECT id FROM receipts WHERE time < ?)", before);
    this.#sql.exec("DELETE FROM receipts WHERE time < ? AND rows IS NULL", before);
  }
}
