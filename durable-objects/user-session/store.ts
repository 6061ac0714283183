/** The queue by which a row leaves. */
export type OutboxQueue = "interactions" | "locations";

/** A row of the journal. Its body is null where only its id is kept: somebody else has brought it to the records. */
export interface JournalRow {
  seq: number;
  id: string;
  queue: OutboxQueue;
  body: string | null;
  /** When it came here, seconds since the epoch. */
  time: number;
  /** Whether it was the person's first interaction with its product, as it came. */
  first: boolean;
}

/** A row on its way, without what it says. */
export type OpenRow = Omit<JournalRow, "body" | "first">;

/** The person as of a row of the journal. */
export interface Snapshot {
  body: Uint8Array;
  /** The newest row that is in the body; everything without a body of its own is. */
  seq: number;
  /** When old rows were last forgotten, seconds since the epoch. */
  pruned: number;
}

/** What an impression keeps until its click window closes. */
export interface StoredReceipt {
  id: string;
  time: number;
  receipt: string;
  /** The logged candidates, as JSON; null once the example has left. */
  rows: string | null;
  /** What the ranker saw of them, packed; null once the example has left. */
  features: Uint8Array | null;
}

/** The tables of one person. Every method is synchronous: callers wrap what belongs together in one transaction. */
export class SessionStore {
  readonly #sql: SqlStorage;
  /** Whether the tables were seen: they never go again, unless the transaction that made them fails. */
  #seen = false;
  /** What `meta` holds, which is little and asked for often; null where it was not read yet. */
  #meta: Map<string, string> | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * The journal is the person's truth and the outbox at once: one row written when an event comes, one when it is closed.
   * An index by sequence number would add one to each of them, so open rows are remembered in memory instead.
   */
  migrate(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS snapshot (
        id INTEGER PRIMARY KEY, body BLOB NOT NULL, seq INTEGER NOT NULL, pruned REAL NOT NULL);
      CREATE TABLE IF NOT EXISTS journal (
        id TEXT PRIMARY KEY, seq INTEGER NOT NULL, open INTEGER NOT NULL, queue TEXT NOT NULL, time REAL NOT NULL,
        body TEXT, first INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS receipts (
        id TEXT PRIMARY KEY, time REAL NOT NULL, receipt TEXT NOT NULL, rows TEXT, features BLOB) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS outcomes (
        receipt TEXT NOT NULL, product TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (receipt, product, type)
      ) WITHOUT ROWID;
    `);
  }

  /** Whether {@link migrate} ever ran here: reading an unknown person writes nothing. */
  exists(): boolean {
    this.#seen ||= this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'journal'").toArray().length > 0;
    return this.#seen;
  }

  /** A transaction failed: what was seen in it may not be there. */
  forget(): void {
    this.#seen = false;
    this.#meta = null;
  }

  get #named(): Map<string, string> {
    this.#meta ??= new Map(
      this.#sql
        .exec<{ name: string; value: string }>("SELECT name, value FROM meta")
        .toArray()
        .map(({ name, value }) => [name, value]),
    );
    return this.#meta;
  }

  get(name: string): string | null {
    return this.#named.get(name) ?? null;
  }

  set(name: string, value: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value);
    this.#named.set(name, value);
  }

  snapshot(): Snapshot | null {
    const [row] = this.#sql
      .exec<{ body: ArrayBuffer; seq: number; pruned: number }>(
        "SELECT body, seq, pruned FROM snapshot WHERE id = 1",
      )
      .toArray();
    return row ? { ...row, body: new Uint8Array(row.body) } : null;
  }

  putSnapshot({ body, seq, pruned }: Snapshot): void {
    this.#sql.exec(
      `INSERT INTO snapshot VALUES (1, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body, seq = excluded.seq, pruned = excluded.pruned`,
      body,
      seq,
      pruned,
    );
  }

  /** What is kept of a known event. */
  known(id: string): Pick<JournalRow, "seq" | "first"> | null {
    const [row] = this.#sql
      .exec<{ seq: number; first: number }>("SELECT seq, first FROM journal WHERE id = ?", id)
      .toArray();
    return row ? { seq: row.seq, first: row.first === 1 } : null;
  }

  /** Adds a row, unless one of its id is there; answers whether it did. It is open where it has a body. */
  add({ id, seq, queue, time, body, first }: JournalRow): boolean {
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      id,
      seq,
      body === null ? 0 : 1,
      queue,
      time,
      body,
      first ? 1 : 0,
    );
    return rowsWritten > 0;
  }

  /** Opens a row of which only the id was kept; answers its sequence number, null where there is no such row. */
  reopen(id: string, body: string): number | null {
    return (
      this.#sql
        .exec<{ seq: number }>(
          "UPDATE journal SET body = ?, open = 1 WHERE id = ? AND body IS NULL RETURNING seq",
          body,
          id,
        )
        .toArray()[0]?.seq ?? null
    );
  }

  /** Rows that are open, and rows after `seq`, which a snapshot does not know. Oldest first. */
  unfinished(seq: number): (Omit<JournalRow, "first"> & { open: number })[] {
    return this.#sql
      .exec<Omit<JournalRow, "first"> & { open: number } & Record<string, SqlStorageValue>>(
        `SELECT id, seq, open, queue, time, iif(seq > ?1, body, NULL) AS body FROM journal
         WHERE open = 1 OR seq > ?1 ORDER BY seq`,
        seq,
      )
      .toArray();
  }

  /** What rows say, by their ids. */
  bodies(ids: string[]): Map<string, string> {
    return new Map(
      this.#sql
        .exec<{ id: string; body: string }>(
          "SELECT j.id, j.body FROM json_each(?) e CROSS JOIN journal j ON j.id = e.value WHERE j.body IS NOT NULL",
          JSON.stringify(ids),
        )
        .toArray()
        .map(({ id, body }) => [id, body]),
    );
  }

  /** Closes rows: what they said is where it belongs. Their ids stay, so that a repeated event is known. */
  close(ids: string[]): void {
    this.#sql.exec(
      "UPDATE journal SET open = 0 WHERE id IN (SELECT value FROM json_each(?)) AND open = 1",
      JSON.stringify(ids),
    );
  }

  putReceipt({ id, time, receipt, rows, features }: StoredReceipt): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?)",
      id,
      time,
      receipt,
      rows,
      features,
    );
  }

  /** A receipt, without what the ranker saw. */
  receipt(id: string): Omit<StoredReceipt, "features"> | null {
    return (
      this.#sql
        .exec<Omit<StoredReceipt, "features"> & Record<string, SqlStorageValue>>(
          "SELECT id, time, receipt, rows FROM receipts WHERE id = ?",
          id,
        )
        .toArray()[0] ?? null
    );
  }

  /** Whether nothing is held: nobody was ever here, or they were erased. */
  isEmpty(): boolean {
    return !this.exists() || this.get("userId") === null;
  }

  /** Whether there are rows or receipts, which have a lifetime. */
  holdsPassing(): boolean {
    if (!this.exists()) return false;
    const sql = "SELECT EXISTS (SELECT 1 FROM journal) OR EXISTS (SELECT 1 FROM receipts) AS some";
    return this.#sql.exec<{ some: number }>(sql).one().some === 1;
  }

  /** Rows of the journal by id, after `after`. */
  journalAfter(after: string, limit: number): (JournalRow & { open: number })[] {
    if (!this.exists()) return [];
    return this.#sql
      .exec<JournalRow & { open: number } & Record<string, SqlStorageValue>>(
        "SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Receipts by id, after `after`. */
  receiptsAfter(after: string, limit: number): StoredReceipt[] {
    if (!this.exists()) return [];
    return this.#sql
      .exec<StoredReceipt & Record<string, SqlStorageValue>>(
        "SELECT * FROM receipts WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Receipts whose example has not left, made before `before`. */
  closing(before: number, limit: number): StoredReceipt[] {
    return this.#sql
      .exec<Omit<StoredReceipt, "features"> & { features: ArrayBuffer | null }>(
        "SELECT * FROM receipts WHERE rows IS NOT NULL AND time < ? ORDER BY time LIMIT ?",
        before,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, features: row.features && new Uint8Array(row.features) }));
  }

  oldestOpenReceipt(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(time) AS at FROM receipts WHERE rows IS NOT NULL")
      .one().at;
  }

  closeReceipt(id: string): void {
    this.#sql.exec("UPDATE receipts SET rows = NULL, features = NULL WHERE id = ?", id);
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

  /** Forgets the person, and keeps how many lives of theirs are over, and when the last ended (seconds). */
  beginAnew(generation: number, now: number): { rows: number; receipts: number } {
    const count = (table: string): number =>
      this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
    const gone = {
      rows: count("journal") + count("snapshot") + count("outcomes"),
      receipts: count("receipts"),
    };
    this.#sql.exec(
      "DELETE FROM meta; DELETE FROM snapshot; DELETE FROM journal; DELETE FROM receipts; DELETE FROM outcomes;",
    );
    this.#meta = null;
    this.set("generation", String(generation));
    this.set("begun", String(now));
    return gone;
  }

  /** Forgets counts of experiments that have not grown since `before`. */
  pruneCounts(before: number): void {
    this.#sql.exec("DELETE FROM meta WHERE name LIKE 'counts:%' AND value ->> 'at' < ?", before);
    this.#meta = null;
  }

  /** Forgets receipts and closed rows from before `before`, the latter where they are in the snapshot (up to `seq`). */
  prune(before: number, seq: number): void {
    this.#sql.exec("DELETE FROM journal WHERE open = 0 AND time < ? AND seq <= ?", before, seq);
    this.#sql.exec("DELETE FROM outcomes WHERE receipt IN (SELECT id FROM receipts WHERE time < ?)", before);
    this.#sql.exec("DELETE FROM receipts WHERE time < ? AND rows IS NULL", before);
  }
}
