/** Recorded inputs that one user's object stores, at most: those of the newest recommendations. */
const maxRecorded = 50;

/**
 * What the newest recommendations of one user were computed from, compressed, so that they can be computed again. It tells
 * the profile of the user as it was, so it is deleted with the receipts, and when a lowered consent coarsens the profile.
 * Every method is synchronous.
 */
export class InputStore {
  readonly #sql: SqlStorage;
  /** Whether the table is known to exist. It is created with the first inputs. */
  #exists = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Drops what is in memory, after a transaction failed. */
  invalidate(): void {
    this.#exists = false;
  }

  #hasTable(): boolean {
    this.#exists ||=
      this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'recorded_inputs'").toArray().length > 0;
    return this.#exists;
  }

  /** Stores the inputs of a recommendation at `time` (seconds since the epoch), and deletes the oldest beyond the limit. */
  put(id: string, time: number, bytes: Uint8Array): void {
    if (!this.#hasTable())
      this.#sql.exec(
        "CREATE TABLE recorded_inputs (id TEXT PRIMARY KEY, time REAL NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID",
      );
    this.#exists = true;
    this.#sql.exec("INSERT OR IGNORE INTO recorded_inputs VALUES (?, ?, ?)", id, time, bytes);
    this.#sql.exec(
      `DELETE FROM recorded_inputs
       WHERE id IN (SELECT id FROM recorded_inputs ORDER BY time DESC, id LIMIT -1 OFFSET ${maxRecorded})`,
    );
  }

  /** Returns the inputs of a recommendation; null if there are none. */
  find(id: string): ArrayBuffer | null {
    if (!this.#hasTable()) return null;
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM recorded_inputs WHERE id = ?", id)
      .toArray();
    return row?.bytes ?? null;
  }

  /** Deletes the inputs of recommendations from before `before`, seconds since the epoch. */
  prune(before: number): void {
    if (this.#hasTable()) this.#sql.exec("DELETE FROM recorded_inputs WHERE time < ?", before);
  }

  /** Deletes all inputs. */
  clear(): void {
    if (this.#hasTable()) this.#sql.exec("DELETE FROM recorded_inputs");
  }
}
