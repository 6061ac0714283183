import { type ProductTotals, sumOfCounts } from "../../shared/contracts/totals.ts";
import {
  decodeHours,
  encodeHours,
  hourFromCounts,
  incompleteHours,
  rollUpOldHours,
  type StoredHours,
} from "./hours.ts";

/** Counts of a product in one hour. */
interface HourCount {
  /** Id of the product. */
  id: string;
  /** First hour from which each hour of the product is stored exactly. */
  exactFrom: number;
  hour: number;
  /** Sum of all counts; null if the product has none in that hour. */
  sum: number | null;
}

/** The table of interaction counts by hour, one row per product. Every method is synchronous. */
export class HoursTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  createTable(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS hours (
         id TEXT PRIMARY KEY, exact_from INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID`,
    );
  }

  /** Returns the hours of those products that have a row. */
  read(ids: readonly string[]): Map<string, StoredHours> {
    const rows = this.#sql.exec<{ id: string; exact_from: number; body: string }>(
      "SELECT h.id, h.exact_from, h.body FROM json_each(?) e CROSS JOIN hours h ON h.id = e.value",
      JSON.stringify(ids),
    );
    return new Map(
      rows
        .toArray()
        .map(({ id, exact_from, body }) => [id, { exactFrom: exact_from, hours: decodeHours(body) }]),
    );
  }

  /**
   * Returns the interactions in the hours that `totals` names, for products that have a row. Does not parse other
   * hours.
   */
  *readNamed(totals: readonly ProductTotals[]): Generator<HourCount> {
    const named = totals.flatMap(({ productId, hours }) => hours.map(({ hour }) => [productId, hour]));
    type Row = { id: string; exact_from: number; hour: number; counts: string | null };
    for (const { id, exact_from, hour, counts } of this.#sql.exec<Row>(
      `SELECT h.id, h.exact_from, e.value ->> 1 AS hour, h.body -> (e.value ->> 1 || '') AS counts
       FROM json_each(?) e CROSS JOIN hours h ON h.id = e.value ->> 0`,
      JSON.stringify(named),
    ))
      yield {
        id,
        exactFrom: exact_from,
        hour,
        sum: counts === null ? null : sumOfCounts(hourFromCounts(hour, JSON.parse(counts))),
      };
  }

  /** Replaces the hours of a product, with old hours rolled up. */
  put(id: string, stored: StoredHours): void {
    const { exactFrom, hours } = rollUpOldHours(stored);
    this.#sql.exec(
      `INSERT INTO hours VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET exact_from = excluded.exact_from, body = excluded.body`,
      id,
      exactFrom,
      encodeHours(hours),
    );
  }

  delete(ids: readonly string[]): void {
    this.#sql.exec("DELETE FROM hours WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));
  }

  /** Marks the hours of products as incomplete: see {@link incompleteHours}. */
  markIncomplete(ids: readonly string[]): void {
    this.#sql.exec(
      "UPDATE hours SET exact_from = ? WHERE id IN (SELECT value FROM json_each(?))",
      incompleteHours,
      JSON.stringify(ids),
    );
  }
}
