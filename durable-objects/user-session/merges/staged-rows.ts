import { encodeCounted } from "../store/counted-event.ts";
import type { ReceiptStore } from "../store/receipt-store.ts";
import { deliveredElsewhere, type EventRow } from "../store/session-store.ts";
import type { StagedPage } from "./merge-messages.ts";

/** Tables of pages that the objects of merged users sent, until their merges are committed or cancelled. */
export class StagedRows {
  readonly #sql: SqlStorage;
  readonly #receipts: ReceiptStore;

  constructor(sql: SqlStorage, receipts: ReceiptStore) {
    this.#sql = sql;
    this.#receipts = receipts;
  }

  createTables(): void {
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS staged_events (
        pseudonym TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, time REAL NOT NULL, body TEXT,
        first INTEGER NOT NULL, content TEXT, PRIMARY KEY (pseudonym, id)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS staged_receipts (
        pseudonym TEXT NOT NULL, id TEXT NOT NULL, time REAL NOT NULL, receipt TEXT NOT NULL, rows TEXT, features BLOB,
        PRIMARY KEY (pseudonym, id)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS staged_outcomes (
        pseudonym TEXT NOT NULL, receipt TEXT NOT NULL, product TEXT NOT NULL, type TEXT NOT NULL,
        PRIMARY KEY (pseudonym, receipt, product, type)) WITHOUT ROWID;
    `);
  }

  /** Stages a page; may be repeated. */
  add(pseudonym: string, { events, receipts }: StagedPage): void {
    for (const { id, seq, time, isDelivered, content, ...counted } of events)
      this.#sql.exec(
        "INSERT OR IGNORE INTO staged_events VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[pseudonym, id, seq, time, isDelivered ? deliveredElsewhere : null],
        encodeCounted(counted),
        content,
      );
    for (const { id, time, receipt, rows, features, outcomes } of receipts) {
      this.#sql.exec(
        "INSERT OR IGNORE INTO staged_receipts VALUES (?, ?, ?, ?, ?, ?)",
        ...[pseudonym, id, time, receipt, rows, features],
      );
      for (const { product, type } of outcomes)
        this.#sql.exec(
          "INSERT OR IGNORE INTO staged_outcomes VALUES (?, ?, ?, ?)",
          pseudonym,
          id,
          product,
          type,
        );
    }
  }

  /** Returns those of the events with the given ids that are staged. */
  findEvents(pseudonym: string, ids: string[]): Pick<EventRow, "id" | "content">[] {
    return this.#sql
      .exec<{ id: string; content: string | null }>(
        `SELECT s.id, s.content FROM json_each(?2) e CROSS JOIN staged_events s
           ON s.pseudonym = ?1 AND s.id = e.value`,
        pseudonym,
        JSON.stringify(ids),
      )
      .toArray();
  }

  /** Moves all staged rows of a user to the tables of this user. `seqOffset` is added to their sequence numbers. */
  adopt(pseudonym: string, seqOffset: number): void {
    this.#sql.exec(
      `INSERT INTO journal (id, seq, open, queue, time, body, first, content)
       SELECT id, seq + ?2, 0, 'interactions', time, body, first, content FROM staged_events WHERE pseudonym = ?1
       ON CONFLICT DO NOTHING`,
      pseudonym,
      seqOffset,
    );
    this.#receipts.adopt(pseudonym);
    this.remove(pseudonym);
  }

  /** Deletes what is staged of a user. */
  remove(pseudonym: string): void {
    for (const table of stagedTables) this.#sql.exec(`DELETE FROM ${table} WHERE pseudonym = ?`, pseudonym);
  }

  /** Deletes all that is staged. */
  clear(): void {
    for (const table of stagedTables) this.#sql.exec(`DELETE FROM ${table}`);
  }
}

const stagedTables = ["staged_events", "staged_receipts", "staged_outcomes"] as const;
