import { endOfLife, type Removed, type Retention } from "../shared/contracts/retention.ts";

/** Rows of each table and database that one step removes at most. */
const atOnce = 20_000;

/** Tables whose rows age, by the column that says from when. */
const tables = [
  { kind: "interactions", table: "interactions", key: "application, user_id, event_id", since: "time" },
  { kind: "places", table: "user_locations", key: "application, user_id, seq", since: "time" },
  { kind: "tombstones", table: "erasures", key: "application, person", since: "erased_at" },
] as const;

/** Removes rows that have outlived their time, of all applications. `now` in seconds. */
export async function removeExpiredRows(
  databases: readonly D1Database[],
  retention: Retention,
  now: number,
): Promise<Removed> {
  const removed: Removed = {};
  for (const { kind, table, key, since } of tables)
    for (const database of databases) {
      const { meta } = await database
        .prepare(
          `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${since} < ?1 LIMIT ${atOnce})`,
        )
        .bind(endOfLife(now, retention[kind]))
        .run();
      removed[kind] = (removed[kind] ?? 0) + meta.changes;
    }
  return removed;
}
