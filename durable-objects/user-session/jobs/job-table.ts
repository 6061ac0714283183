import { hasTable } from "../../has-table.ts";

/** The columns that every table of jobs has. Times are seconds since the epoch. */
export type JobRow = Record<string, SqlStorageValue> & {
  id: string;
  requested: number;
  /** When the next step runs; null if no step is left. */
  due: number | null;
};

/** A table with the stored states of one kind of job. It exists once the first job begins. */
export class JobTable<Row extends JobRow> {
  readonly #sql: SqlStorage;
  readonly #name: string;
  readonly #columns: string;
  /** When the next step is due; undefined until it is read. */
  #due: number | null | undefined;

  /** `columns` are the definitions of the columns, in SQL. */
  constructor(sql: SqlStorage, name: string, columns: string) {
    this.#sql = sql;
    this.#name = name;
    this.#columns = columns;
  }

  create(): void {
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS ${this.#name} (${this.#columns}) WITHOUT ROWID`);
  }

  select(where: string, ...values: SqlStorageValue[]): Row[] {
    if (!hasTable(this.#sql, this.#name)) return [];
    return this.#sql.exec<Row>(`SELECT * FROM ${this.#name} WHERE ${where}`, ...values).toArray();
  }

  /** Stores the state of a job in place of the earlier one. */
  put(row: Row): void {
    this.#due = undefined;
    const names = Object.keys(row);
    this.#sql.exec(
      `INSERT OR REPLACE INTO ${this.#name} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ...Object.values(row),
    );
  }

  remove(where: string, ...values: SqlStorageValue[]): void {
    this.#due = undefined;
    this.#sql.exec(`DELETE FROM ${this.#name} WHERE ${where}`, ...values);
  }

  /** Returns when the next step is due, in seconds since the epoch; null if no step is left. */
  due(): number | null {
    if (this.#due === undefined)
      this.#due = this.select("due IS NOT NULL ORDER BY due LIMIT 1")[0]?.due ?? null;
    return this.#due;
  }

  /** Returns the job whose step is due at `now`, in seconds since the epoch: the oldest one. Null if there is none. */
  nextDue(now: number): Row | null {
    if ((this.due() ?? Number.POSITIVE_INFINITY) > now) return null;
    return this.select("due <= ? ORDER BY requested LIMIT 1", now)[0] ?? null;
  }
}
