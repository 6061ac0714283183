import * as z from "zod";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import { countFields, hoursOfWeek } from "../../shared/contracts/totals.ts";
import { encodeTime } from "./compact-columns.ts";
import { deleteValue, type JobName, readValue, storeExpiredBefore, storeValue } from "./job-positions.ts";

/** Maximum number of rows that one step removes from each table of each database. */
const maxRowsPerStep = 20_000;
/** Users whose rows one statement looks at, and such statements in a step. */
const usersPerPage = 10_000;
const maxUserPages = 50;

/** The next users by number, after parameter 1. */
const nextUsersSql = `SELECT number, application, user_id FROM user_numbers WHERE number > ?1
  ORDER BY number LIMIT ${usersPerPage}`;

/**
 * Removes expired interactions and visits of the next users, page by page, until {@link maxRowsPerStep} rows are removed
 * or all users were read. Rows are found by user and time, so that nothing is read of rows that stay. Visits are
 * numbered in the order in which they were reported: those before the first that stays are removed. A recount changes no
 * totals of hours whose interactions may be missing, or which are compacted (`hoursBefore`). Times are in seconds.
 */
async function removeOfUsers(
  database: D1Database,
  interactionsBefore: number,
  visitsBefore: number,
  hoursBefore: number,
): Promise<{ interactions: number; places: number }> {
  const removed = { interactions: 0, places: 0 };
  const job = "expire interactions" satisfies JobName;
  let position = Number((await readValue(database, job)) ?? Number.MIN_SAFE_INTEGER);
  const before = encodeTime(interactionsBefore);
  for (let page = 0; page < maxUserPages; page++) {
    const results = await database.batch<{ changed: number; last: number | null }>([
      storeExpiredBefore(database, Math.max(before, encodeTime(hoursBefore))),
      database
        .prepare(
          `DELETE FROM recent_interactions WHERE (user, id) IN (
             SELECT i.user, i.id FROM (${nextUsersSql}) page CROSS JOIN recent_interactions i
               ON i.user = page.number AND i.time < ?2
             LIMIT ${maxRowsPerStep})`,
        )
        .bind(position, before),
      database.prepare("SELECT changes() AS changed"),
      database
        .prepare(
          `DELETE FROM user_locations WHERE (application, user_id, seq) IN (
             SELECT l.application, l.user_id, l.seq FROM (${nextUsersSql}) page CROSS JOIN user_locations l
               ON l.application = page.application AND l.user_id = page.user_id AND l.seq < coalesce(
                 (SELECT s.seq FROM user_locations s
                   WHERE s.application = page.application AND s.user_id = page.user_id AND s.time >= ?2
                   ORDER BY s.seq LIMIT 1), ${Number.MAX_SAFE_INTEGER})
             LIMIT ${maxRowsPerStep})`,
        )
        .bind(position, visitsBefore),
      database.prepare("SELECT changes() AS changed"),
      database.prepare(`SELECT max(number) AS last FROM (${nextUsersSql})`).bind(position),
    ]);
    const [interactions, places] = [results[2], results[4]].map(({ results: [{ changed }] }) => changed);
    removed.interactions += interactions;
    removed.places += places;
    const { last } = results[5].results[0];
    if (last === null) {
      await deleteValue(database, job).run();
      return removed;
    }
    // A page of which more may be left is read again.
    if (interactions < maxRowsPerStep && places < maxRowsPerStep) position = last;
    await storeValue(database, job, String(position)).run();
    if (removed.interactions >= maxRowsPerStep || removed.places >= maxRowsPerStep) return removed;
  }
  return removed;
}

/** Removes expired tombstones. `before` is in seconds since the Unix epoch. Returns how many. */
async function removeTombstones(database: D1Database, before: number): Promise<number> {
  const { meta } = await database
    .prepare(
      `DELETE FROM erasures WHERE (application, pseudonym) IN (
         SELECT application, pseudonym FROM erasures WHERE erased_at < ?1 LIMIT ${maxRowsPerStep})`,
    )
    .bind(before)
    .run();
  return meta.changes;
}

/** Products that one statement looks at, such statements in a step, and products whose hours one step compacts. */
const productsPerPage = 2000;
const maxProductPages = 50;
const maxCompactedProducts = 500;

/** SQL expression: a column of the first row after a product, in the order of the primary key. */
const nextProductSql = (column: string, application: string, product: string): string =>
  `(SELECT t.${column} FROM interaction_totals t WHERE (t.application, t.product_id) > (${application}, ${product})
    ORDER BY t.application, t.product_id LIMIT 1)`;

interface ProductPosition {
  application: string;
  product: string;
}

/** Returns the next products after a position that have totals, and whether each has hours before `before`. */
async function nextProducts(
  database: D1Database,
  { application, product }: ProductPosition,
  before: number,
): Promise<(ProductPosition & { isOld: number })[]> {
  const { results } = await database
    .prepare(
      `WITH RECURSIVE products(application, product, n) AS (
         SELECT ${nextProductSql("application", "?1", "?2")}, ${nextProductSql("product_id", "?1", "?2")}, 1
         UNION ALL
         SELECT ${nextProductSql("application", "walked.application", "walked.product")},
           ${nextProductSql("product_id", "walked.application", "walked.product")}, n + 1
         FROM products walked WHERE walked.application IS NOT NULL AND n < ${productsPerPage})
       SELECT application, product, EXISTS (SELECT 1 FROM interaction_totals t
         WHERE t.application = products.application AND t.product_id = products.product
           AND t.hour >= ${hoursOfWeek} AND t.hour < ?3) AS isOld
       FROM products WHERE application IS NOT NULL`,
    )
    .bind(application, product, before)
    .all<ProductPosition & { isOld: number }>();
  return results;
}

const productPosition = z.object({ application: z.string(), product: z.string() });
const firstProduct: ProductPosition = { application: "", product: "" };

/**
 * Compacts the hourly totals of some products: adds up the hours before `before` by hour of the week. Readers use
 * nothing else of old hours. The sum of a product's counts does not change. Returns the number of removed rows.
 */
async function compactHours(database: D1Database, before: number): Promise<number> {
  const job = "compact hours" satisfies JobName;
  const stored = await readValue(database, job);
  let position = stored === null ? firstProduct : productPosition.parse(JSON.parse(stored));
  for (let page = 0; page < maxProductPages; page++) {
    const products = await nextProducts(database, position, before);
    const last = products.at(-1);
    if (!last) {
      await deleteValue(database, job).run();
      return 0;
    }
    const old = products.filter(({ isOld }) => isOld).slice(0, maxCompactedProducts);
    const lastOld = old.at(-1);
    const { application, product } = old.length === maxCompactedProducts && lastOld ? lastOld : last;
    position = { application, product };
    const stores = storeValue(database, job, JSON.stringify(position));
    if (old.length > 0) return compactProducts(database, old, before, stores);
    await stores.run();
  }
  return 0;
}

/** Compacts the hours before `before` of some products, in one transaction with `position`. Returns the removed rows. */
async function compactProducts(
  database: D1Database,
  products: readonly ProductPosition[],
  before: number,
  position: D1PreparedStatement,
): Promise<number> {
  const fromOldHours = `FROM json_each(?2) j CROSS JOIN interaction_totals t
     ON t.application = j.value ->> 'application' AND t.product_id = j.value ->> 'product'
     WHERE t.hour >= ${hoursOfWeek} AND t.hour < ?1`;
  const columns = [...countFields];
  const list = JSON.stringify(products);
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
    position,
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
  const removed = { interactions: 0, places: 0, tombstones: 0, hourlyTotals: 0 };
  const before = (kind: keyof typeof removed): number => expiryTime(now, retention[kind]);
  for (const database of databases) {
    const ofUsers = await removeOfUsers(
      database,
      before("interactions"),
      before("places"),
      before("hourlyTotals"),
    );
    removed.interactions += ofUsers.interactions;
    removed.places += ofUsers.places;
    removed.tombstones += await removeTombstones(database, before("tombstones"));
    await removeOldNetworks(database, now);
    removed.hourlyTotals += await compactHours(database, Math.floor(before("hourlyTotals") / 3600));
  }
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
