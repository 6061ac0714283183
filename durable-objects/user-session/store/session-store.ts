import { type CountedEvent, decodeCounted, encodeCounted } from "./counted-event.ts";
import { InputStore } from "./input-store.ts";
import { ReceiptStore } from "./receipt-store.ts";

/** The queue to which a row is sent. */
export type OutboxQueue = "interactions" | "locations";

/** A row of the journal. The body is null if the caller of `ingest` delivers the row, so that only the id is stored. */
export interface JournalRow extends CountedEvent {
  seq: number;
  /** Kind of the row, a colon, and the id of what the row tells: `event:`, `correction:`, `example:` or `location:`. */
  id: string;
  queue: OutboxQueue;
  body: string | null;
  /** When the row was added, seconds since the epoch. */
  time: number;
  /** What the client said in the row's event, encoded; null for other rows. */
  content: string | null;
}

/** A row of the journal that is open, or that the last snapshot does not include; its body only in the second case. */
export type RecentRow = Omit<JournalRow, keyof CountedEvent | "content"> & { open: number };

/** A row of the journal that has a given id. */
export interface KnownRow extends Pick<JournalRow, "seq" | "content">, CountedEvent {
  /** Whether the object of a user that was merged into this one delivered the row. */
  isDeliveredElsewhere: boolean;
}

/** A row of the journal that holds an event, without the event itself. */
export interface EventRow extends CountedEvent {
  id: string;
  seq: number;
  time: number;
  /** Whether the outbox delivered the row; false for a row of history, which its import delivers. */
  isDelivered: boolean;
  /** What the client said, encoded; null in rows of version 0.2. */
  content: string | null;
}

/** Body of a row that another user's object delivered, so that it is not delivered again. */
export const deliveredElsewhere = JSON.stringify({ kind: "merged" });

/** Up to which row an outbox has sent rows again, and when, in seconds since the epoch. */
export interface SentMark {
  seq: number;
  at: number;
}

/**
 * Rows of a journal from which on it has an index by sequence number. An index costs one more row written for each row that
 * is added. Most users have few rows, and reading them all takes a millisecond at most.
 */
const indexedRows = 2000;

/** The profile as of a row of the journal. */
export interface ProfileSnapshot {
  /** The encoded profile. */
  body: Uint8Array;
  /** Sequence number of the last row that the profile includes. Rows without a body are always included. */
  seq: number;
  /** Sequence numbers of the open rows up to `seq`; null if the journal is short, so that they are found by reading it. */
  open: readonly number[] | null;
  /** When expired rows were last deleted, seconds since the epoch. */
  prunedAt: number;
}

/** The tables of one user. Every method is synchronous, so that a caller can run several in one transaction. */
export class SessionStore {
  readonly receipts: ReceiptStore;
  readonly inputs: InputStore;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  /** Whether the tables are known to exist. The tables disappear only if the transaction that created them fails. */
  #tablesExist = false;
  /** The rows of `meta`, which are few and read often; null until they are read. */
  #meta: Map<string, string> | null = null;
  /** Whether the journal has an index by sequence number. */
  #isIndexed = false;
  /** Rows that reading the whole journal took, and those that were added since. */
  #rowsRead = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.receipts = new ReceiptStore(storage.sql, () => this.hasTables());
    this.inputs = new InputStore(storage.sql);
  }

  /**
   * Creates the tables. The journal is both the record of the user's events and the outbox: an event costs one row
   * written when it is added and one when it is closed. An index by sequence number adds one more row written when it is
   * added, so that only a long journal has one: see {@link indexLongJournal}.
   */
  createTables(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS snapshot (
        id INTEGER PRIMARY KEY, body BLOB NOT NULL, seq INTEGER NOT NULL, pruned REAL NOT NULL, open TEXT);
      CREATE TABLE IF NOT EXISTS journal (
        id TEXT PRIMARY KEY, seq INTEGER NOT NULL, open INTEGER NOT NULL, queue TEXT NOT NULL, time REAL NOT NULL,
        body TEXT, first INTEGER NOT NULL, content TEXT) WITHOUT ROWID;
    `);
    this.receipts.createTables();
  }

  /**
   * Returns whether {@link createTables} ran in this object. Tables of an earlier version get the present form first, in
   * one transaction. Reading an unknown user writes nothing.
   */
  hasTables(): boolean {
    if (this.#tablesExist) return true;
    const tables = new Map(
      this.#sql
        .exec<{ name: string; sql: string }>(
          "SELECT name, sql FROM sqlite_master WHERE name IN ('journal', 'receipts', 'snapshot', 'journal_by_seq')",
        )
        .toArray()
        .map(({ name, sql }) => [name, sql]),
    );
    const [journal, receipts] = [tables.get("journal"), tables.get("receipts")];
    if (journal === undefined) return false;
    const isJournalOld = !journal.includes("content TEXT");
    const areReceiptsOld = !receipts?.includes("open INTEGER");
    const isSnapshotOld = !tables.get("snapshot")?.includes("open TEXT");
    if (isJournalOld || areReceiptsOld || isSnapshotOld)
      this.#storage.transactionSync(() => {
        if (isJournalOld) this.#upgradeJournal();
        if (areReceiptsOld) this.receipts.upgrade();
        if (isSnapshotOld) this.#sql.exec("ALTER TABLE snapshot ADD COLUMN open TEXT");
      });
    this.#isIndexed = tables.has("journal_by_seq");
    this.#tablesExist = true;
    return true;
  }

  /**
   * Adds what version 0.2 did not have: the kind of each event's row in its id, the content of events, and the present
   * name of the precision `approximate`, by which receipts and locations are read and coarsened.
   */
  #upgradeJournal(): void {
    this.#sql.exec(`
      ALTER TABLE journal ADD COLUMN content TEXT;
      UPDATE journal SET id = 'event:' || id WHERE id NOT LIKE '%:%';
      UPDATE journal SET body = json_set(body, '$.precision', 'approximate')
        WHERE queue = 'locations' AND body ->> '$.precision' = '1km';
      UPDATE receipts SET receipt = json_set(receipt, '$.location.precision', 'approximate')
        WHERE receipt ->> '$.location.precision' = '1km';
    `);
  }

  /** Drops cached values, after a transaction failed. */
  invalidate(): void {
    this.#tablesExist = false;
    this.#isIndexed = false;
    this.#rowsRead = 0;
    this.#meta = null;
    this.receipts.invalidate();
    this.inputs.invalidate();
  }

  get #metaValues(): Map<string, string> {
    this.#meta ??= new Map(
      this.#sql
        .exec<{ name: string; value: string }>("SELECT name, value FROM meta")
        .toArray()
        .map(({ name, value }) => [name, value]),
    );
    return this.#meta;
  }

  getMeta(name: string): string | null {
    return this.#metaValues.get(name) ?? null;
  }

  /** Returns the counts of experiments, by name. */
  experimentCounts(): [name: string, value: string][] {
    return [...this.#metaValues].filter(([name]) => name.startsWith("counts:"));
  }

  setMeta(name: string, value: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value);
    this.#metaValues.set(name, value);
  }

  /** Returns the last snapshot of the profile; null if there is none. */
  snapshot(): ProfileSnapshot | null {
    const [row] = this.#sql
      .exec<{ body: ArrayBuffer; seq: number; prunedAt: number; open: string | null }>(
        "SELECT body, seq, pruned AS prunedAt, open FROM snapshot WHERE id = 1",
      )
      .toArray();
    if (!row) return null;
    return { ...row, body: new Uint8Array(row.body), open: row.open === null ? null : JSON.parse(row.open) };
  }

  putSnapshot({ body, seq, prunedAt, open }: ProfileSnapshot): void {
    this.#sql.exec(
      `INSERT INTO snapshot (id, body, seq, pruned, open) VALUES (1, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE
       SET body = excluded.body, seq = excluded.seq, pruned = excluded.pruned, open = excluded.open`,
      body,
      seq,
      prunedAt,
      open === null ? null : JSON.stringify(open),
    );
  }

  /**
   * Adds an index by sequence number to a journal that has become long, such as that of an id which many people share, so
   * that an object that wakes up need not read all of it. Returns whether there is an index.
   */
  indexLongJournal(): boolean {
    if (!this.#isIndexed && this.#rowsRead >= indexedRows) {
      this.#sql.exec("CREATE INDEX IF NOT EXISTS journal_by_seq ON journal (seq)");
      this.#isIndexed = true;
    }
    return this.#isIndexed;
  }

  /** Returns up to which row the outbox has sent rows of a queue again; null if it has not. */
  sentMark(queue: OutboxQueue): SentMark | null {
    const mark = this.getMeta(`sent:${queue}`);
    return mark === null ? null : JSON.parse(mark);
  }

  /** Notes up to which row the outbox has sent rows of a queue again, so that an object that wakes up knows it. */
  markSent(queue: OutboxQueue, mark: SentMark): void {
    this.setMeta(`sent:${queue}`, JSON.stringify(mark));
  }

  /** Returns the row with an id; null if there is none. */
  findRow(id: string): KnownRow | null {
    const [row] = this.#sql
      .exec<{ seq: number; first: number; content: string | null; elsewhere: number | null }>(
        "SELECT seq, first, content, body = ? AS elsewhere FROM journal WHERE id = ?",
        deliveredElsewhere,
        id,
      )
      .toArray();
    return row
      ? {
          ...{ seq: row.seq, content: row.content, ...decodeCounted(row.first) },
          isDeliveredElsewhere: row.elsewhere === 1,
        }
      : null;
  }

  /** Adds a row, unless there is a row with its id. Returns whether the row was added. A row with a body is open. */
  addRow({ id, seq, queue, time, body, content, ...counted }: JournalRow): boolean {
    const { rowsWritten } = this.#sql.exec(
      "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      id,
      seq,
      body === null ? 0 : 1,
      queue,
      time,
      body,
      encodeCounted(counted),
      content,
    );
    if (rowsWritten > 0) this.#rowsRead++;
    return rowsWritten > 0;
  }

  /**
   * Adds a body to a row without a body, which opens the row. Returns its sequence number; null if there is no such
   * row.
   */
  reopenRow(id: string, body: string): number | null {
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

  /**
   * Returns the open rows, and the rows after `seq`, which a snapshot does not include; oldest first. `open` are the open
   * rows up to `seq` that the snapshot lists; null if it lists none, so that the whole journal is read.
   */
  rowsSince(seq: number, open: readonly number[] | null): RecentRow[] {
    const columns = "id, seq, open, queue, time, iif(seq > ?1, body, NULL) AS body";
    if (open !== null)
      return this.#sql
        .exec<RecentRow & Record<string, SqlStorageValue>>(
          `SELECT ${columns} FROM journal WHERE seq IN (SELECT value FROM json_each(?2)) AND open = 1
           UNION ALL SELECT ${columns} FROM journal WHERE seq > ?1 ORDER BY seq`,
          seq,
          JSON.stringify(open),
        )
        .toArray();
    const cursor = this.#sql.exec<RecentRow & Record<string, SqlStorageValue>>(
      `SELECT ${columns} FROM journal WHERE open = 1 OR seq > ?1 ORDER BY seq`,
      seq,
    );
    const rows = cursor.toArray();
    this.#rowsRead = cursor.rowsRead;
    return rows;
  }

  /** Returns the bodies of rows, by id. */
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

  /** Closes rows that were delivered. Their ids remain, so that a repeated event is detected. */
  closeRows(ids: string[]): void {
    this.#sql.exec(
      "UPDATE journal SET open = 0 WHERE id IN (SELECT value FROM json_each(?)) AND open = 1",
      JSON.stringify(ids),
    );
  }

  /** Returns whether the object stores nothing about a user: nothing was ever stored, or the user was erased. */
  isEmpty(): boolean {
    return !this.hasTables() || this.getMeta("userId") === null;
  }

  /** Returns whether there are journal rows or receipts, which expire. */
  hasExpiringRows(): boolean {
    if (!this.hasTables()) return false;
    const sql = "SELECT EXISTS (SELECT 1 FROM journal) OR EXISTS (SELECT 1 FROM receipts) AS found";
    return this.#sql.exec<{ found: number }>(sql).one().found === 1;
  }

  /** Returns rows of the journal in the order of their ids, after `after`. */
  journalAfter(after: string, limit: number): (JournalRow & { open: number })[] {
    if (!this.hasTables()) return [];
    return this.#sql
      .exec<JournalRow & { open: number } & Record<string, SqlStorageValue>>(
        "SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  /** Returns the events of the journal in the order of their ids, after `after`. */
  eventsAfter(after: string, limit: number): EventRow[] {
    if (!this.hasTables()) return [];
    return this.#sql
      .exec<{
        id: string;
        seq: number;
        time: number;
        delivered: number;
        first: number;
        content: string | null;
      }>(
        `SELECT id, seq, time, body IS NOT NULL AS delivered, first, content FROM journal
         WHERE id > max(?, 'event:') AND id < 'event;' ORDER BY id LIMIT ?`,
        after,
        limit,
      )
      .toArray()
      .map(({ delivered, first, ...row }) => ({
        ...row,
        ...decodeCounted(first),
        isDelivered: delivered === 1,
      }));
  }

  /**
   * Returns when the newest row without a body was added, which the caller of `ingest` delivers, in seconds; null if
   * there is none.
   */
  lastImportedAt(): number | null {
    if (!this.hasTables()) return null;
    return this.#sql
      .exec<{ at: number | null }>("SELECT max(time) AS at FROM journal WHERE body IS NULL")
      .one().at;
  }

  /**
   * Deletes everything about the user. Stores the number of the next generation, and `now` (seconds) as its beginning.
   * Returns the numbers of deleted rows and receipts.
   */
  startNextGeneration(generation: number, now: number): { rows: number; receipts: number } {
    const count = (table: string): number =>
      this.#sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;
    const deleted = {
      rows: count("journal") + count("snapshot") + count("outcomes"),
      receipts: count("receipts"),
    };
    this.#sql.exec(
      "DELETE FROM meta; DELETE FROM snapshot; DELETE FROM journal; DELETE FROM receipts; DELETE FROM outcomes;",
    );
    this.inputs.clear();
    this.#meta = null;
    this.setMeta("generation", String(generation));
    this.setMeta("generationStart", String(now));
    return deleted;
  }

  /** Deletes counts of experiments that have not grown since `before`, seconds since the epoch. */
  pruneCounts(before: number): void {
    this.#sql.exec("DELETE FROM meta WHERE name LIKE 'counts:%' AND value ->> 'at' < ?", before);
    this.#meta = null;
  }

  /**
   * Deletes closed rows, closed receipts with their outcomes, and recorded inputs from before `before` (seconds since the
   * epoch). Rows are deleted only up to `seq`, the last row that the snapshot includes.
   */
  prune(before: number, seq: number): void {
    this.#sql.exec("DELETE FROM journal WHERE open = 0 AND time < ? AND seq <= ?", before, seq);
    this.receipts.prune(before);
    this.inputs.prune(before);
  }
}
