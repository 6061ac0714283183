import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import { countFields, hoursOfWeek } from "../../shared/contracts/totals.ts";

/** Maximum number of rows that one step removes from each table of each database. */
const maxRowsPerStep = 20_000;

/** Tables whose rows expire, with the column that holds the time (in seconds) from which their age counts. */
const agingTables = [
  { kind: "interactions", table: "interactions", key: "application, user_id, event_id", since: "time" },
  { kind: "places", table: "user_locations", key: "application, user_id, seq", since: "time" },
  { kind: "tombstones", table: "erasures", key: "application, pseudonym", since: "erased_at" },
] as const;

/** Maximum number of products whose old hours one step compacts in each database. */
const maxProductsPerStep = 500;

/**
 * Compacts the hourly totals of some products: adds up the hours before `before` by hour of the week. Readers use
 * nothing else of old hours. The sum of a product's counts does not change. Returns the number of removed rows.
 */
async function compactHours(database: D1Database, before: number): Promise<number> {
  const isOld = `t.hour >= ${hoursOfWeek} AND t.hour < ?1`;
  const { results } = await database
    .prepare(
      `SELECT DISTINCT application, product_id AS product FROM interaction_totals t WHERE ${isOld} LIMIT ?2`,
    )
    .bind(before, maxProductsPerStep)
    .all<{ application: string; product: string }>();
  if (results.length === 0) return 0;
  const fromOldHours = `FROM json_each(?2) j CROSS JOIN interaction_totals t
     ON t.application = j.value ->> 'application' AND t.product_id = j.value ->> 'product' WHERE ${isOld}`;
  const columns = [...countFields];
  const list = JSON.stringify(results);
  const [, deleted] = await database.batch([
    database
      .prepare(
        `INSERT INTO interaction_totals
         SELECT t.application, t.product_id, t.hour % ${hoursOfWeek},
           ${columns.map((name) => `sum(t."${name}")`).join(", ")}
         ${fromOldHours} GROUP BY 1, 2, 3
         ON CONFLICT DO UPDATE SET
           ${columns.map((name) => `"${name}" = "${name}" + excluded."${name}"`).join(", ")}`,
      )
      .bind(before, list),
    database
      .prepare(
        `DELETE FROM interaction_totals WHERE (application, product_id, hour) IN (
           SELECT t.application, t.product_id, t.hour ${fromOldHours})`,
      )
      .bind(before, list),
  ]);
  return deleted.meta.changes;
}

/** Days for which the networks that have counted are known: longer than any message is retried. */
const networkDays = 14;

/** Removes the networks that counted on days so long ago that no event of these days arrives any more. */
async function removeOldNetworks(database: D1Database, now: number): Promise<void> {
  await database
    .prepare(
      `DELETE FROM network_counts WHERE (day, application, key) IN (
         SELECT day, application, key FROM network_counts WHERE day < ?1 LIMIT ${maxRowsPerStep})`,
    )
    .bind(Math.floor(now / 86_400) - networkDays)
    .run();
}

/**
 * Removes expired rows of all applications, and compacts old hourly totals: one bounded step. `now` is in seconds since
 * the epoch. Returns the number of removed rows by kind.
 */
export async function removeExpiredRows(
  databases: readonly D1Database[],
  retention: Retention,
  now: number,
): Promise<RemovedCounts> {
  const removed: RemovedCounts = {};
  for (const { kind, table, key, since } of agingTables)
    for (const database of databases) {
      const { meta } = await database
        .prepare(
          `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${since} < ?1 LIMIT ${maxRowsPerStep})`,
        )
        .bind(expiryTime(now, retention[kind]))
        .run();
      removed[kind] = (removed[kind] ?? 0) + meta.changes;
    }
  for (const database of databases) await removeOldNetworks(database, now);
  const hour = Math.floor(expiryTime(now, retention.hourlyTotals) / 3600);
  for (const database of databases)
    removed.hourlyTotals = (removed.hourlyTotals ?? 0) + (await compactHours(database, hour));
  return removed;
}

/** Steps of one call, so that a night removes millions of rows with few calls. Each takes up to a second. */
const stepsPerCall = 4;

/** Removes what {@link removeExpiredRows} does, in up to {@link stepsPerCall} steps. */
export async function removeExpiredInSteps(
  databases: readonly D1Database[],
  retention: Retention,
  now: number,
): Promise<RemovedCounts> {
  const sums: RemovedCounts = {};
  for (let step = 0; step < stepsPerCall; step++) {
    const removed = Object.entries(await removeExpiredRows(databases, retention, now));
    for (const [kind, count] of removed as [keyof RemovedCounts, number][])
      sums[kind] = (sums[kind] ?? 0) + count;
    if (removed.every(([, count]) => count === 0)) break;
  }
  return sums;
}
