import { eventTypes } from "../../shared/contracts/event.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { countFields } from "../../shared/contracts/totals.ts";
import type { StoredEvent, Tombstone } from "../../shared/services/user-api.ts";
import { isAllowedSql } from "./consent.ts";
import type { InteractionJson, TotalsRow, VisitJson } from "./interaction-rows.ts";

// These statements use D1's own API: they pass a list as one JSON parameter, and drizzle's batch accepts no raw
// statements with parameters.

/**
 * SQL condition: no tombstone covers the user's generation of row `j` of the list (`o`: pseudonym, `g`: generation).
 */
const notErasedSql = `NOT EXISTS (SELECT 1 FROM erasures e
  WHERE e.application = ?1 AND e.pseudonym = j.value ->> 'o' AND j.value ->> 'g' <= max(e.generation, e.merged_generation))`;

/** SQL expression: the UTC hour of a time in seconds, as whole hours since the epoch. */
const hourSql = (time: string): string => `CAST(floor(${time} / 3600) AS INTEGER)`;

/** SQL expression: the UTC day of row `j` of the list, as whole days since the epoch. */
const dayOfRowSql = "CAST(floor(j.value ->> 's' / 86400) AS INTEGER)";

/**
 * SQL expression: whether row `j` of the list counts for others. Of users of one network whom nobody vouches for, the
 * first row by product, type and day counts.
 */
const countsSql = `iif(j.value ->> 'n' IS NULL, j.value ->> 'c',
  row_number() OVER (PARTITION BY j.value ->> 'n', ${dayOfRowSql} ORDER BY j.key) = 1
  AND NOT EXISTS (SELECT 1 FROM network_counts n
    WHERE n.day = ${dayOfRowSql} AND n.application = ?1 AND n.key = j.value ->> 'n'))`;

/**
 * Inserts interactions that do not exist yet and adds them to the hourly totals, in one transaction. Returns the number
 * of inserted rows.
 *
 * The totals grow by exactly the rows that carry this call's `batchId`, which must be new for each call. They are found
 * by primary key; CROSS JOIN keeps SQLite from scanning the table instead. A repeated call inserts nothing, so no row
 * carries its `batchId`, and the totals do not change. Of each type, a user counts once for a product and hour: a row
 * adds nothing if an earlier call stored an equal one, for which the user's rows of the hour are read by the index and
 * grouped with the new ones: NOT IN would read all of them again for each new row. Rows that do not count for others add
 * nothing either.
 */
export async function insertInteractions(
  database: D1Database,
  application: string,
  rows: InteractionJson[],
  batchId: string,
  now: number,
  defaultConsent: Precision,
): Promise<number> {
  const list = JSON.stringify(rows);
  const location = (key: string): string =>
    `iif(j.value ->> 'la' IS NULL OR ${isAllowedSql(defaultConsent)}, j.value ->> '${key}', NULL)`;
  const counts = eventTypes.map((type) => `sum(type = '${type}' AND is_new)`).join(", ");
  const additions = countFields.map((name) => `"${name}" = "${name}" + excluded."${name}"`).join(", ");
  const networks = rows.some(({ n }) => n !== null)
    ? [
        database
          .prepare(
            `INSERT INTO network_counts
             SELECT DISTINCT ${dayOfRowSql}, ?1, j.value ->> 'n' FROM json_each(?2) j CROSS JOIN interactions i
               ON i.application = ?1 AND i.user_id = j.value ->> 'u' AND i.event_id = j.value ->> 'e'
             WHERE j.value ->> 'n' IS NOT NULL AND i.batch = ?3 AND i.counts = 1
             ON CONFLICT DO NOTHING`,
          )
          .bind(application, list, batchId),
      ]
    : [];
  const [, inserted] = await database.batch([
    database
      .prepare(
        `INSERT INTO users (application, user_id, attributes, settings_version, created_at, updated_at)
         SELECT DISTINCT ?1, j.value ->> 'u', '{}', 0, ?3, ?3
         FROM json_each(?2) j WHERE ${notErasedSql}
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, list, now),
    database
      .prepare(
        `INSERT INTO interactions
         SELECT ?1, j.value ->> 'u', j.value ->> 'e', j.value ->> 't', j.value ->> 'p', j.value ->> 's',
           ${location("la")}, ${location("lo")}, j.value ->> 'r', j.value ->> 'f', ?3, j.value ->> 'fp',
           ${countsSql}
         FROM json_each(?2) j WHERE ${notErasedSql}
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, list, batchId),
    database
      .prepare(
        `INSERT INTO interaction_totals
         WITH added AS MATERIALIZED (
           SELECT i.user_id, i.product_id, i.type, ${hourSql("i.time")} AS hour,
             sum(i.first) AS first, sum(i.first_purchase) AS first_purchase
           FROM json_each(?2) j CROSS JOIN interactions i
             ON i.application = ?1 AND i.user_id = j.value ->> 'u' AND i.event_id = j.value ->> 'e'
           WHERE i.batch = ?3 AND i.counts = 1
           GROUP BY 1, 2, 3, 4),
         known AS MATERIALIZED (
           SELECT i.user_id, i.product_id, i.type, h.hour
           FROM (SELECT DISTINCT user_id, hour FROM added) h CROSS JOIN interactions i
             ON i.application = ?1 AND i.user_id = h.user_id
               AND i.time >= h.hour * 3600 AND i.time < (h.hour + 1) * 3600
           WHERE i.batch <> ?3 AND i.counts = 1),
         marked AS MATERIALIZED (
           SELECT user_id, product_id, type, hour, max(is_known) = 0 AS is_new, sum(first) AS first,
             sum(first_purchase) AS first_purchase
           FROM (SELECT *, 0 AS is_known FROM added UNION ALL SELECT *, 0, 0, 1 FROM known)
           GROUP BY 1, 2, 3, 4
           HAVING min(is_known) = 0)
         SELECT ?1, product_id, hour, ${counts}, sum(first), sum(first_purchase)
         FROM marked WHERE true
         GROUP BY 2, 3
         ON CONFLICT DO UPDATE SET ${additions}`,
      )
      .bind(application, list, batchId),
    ...networks,
  ]);
  return inserted.meta.changes;
}

/** Returns those of the rows that do not count for others. Each row is found by its primary key. */
export async function readUncounted(
  database: D1Database,
  application: string,
  rows: readonly InteractionJson[],
): Promise<{ userId: string; eventId: string }[]> {
  const { results } = await database
    .prepare(
      `SELECT i.user_id AS userId, i.event_id AS eventId FROM json_each(?2) j CROSS JOIN interactions i
         ON i.application = ?1 AND i.user_id = j.value ->> 0 AND i.event_id = j.value ->> 1
       WHERE i.counts = 0`,
    )
    .bind(application, JSON.stringify(rows.map(({ u, e }) => [u, e])))
    .all<{ userId: string; eventId: string }>();
  return results;
}

/**
 * Recounts the totals of the next `limit` products after `after` (by id) from the interactions, in one transaction.
 * Returns the number of products, and the last one if there may be more.
 */
export async function recountTotals(
  database: D1Database,
  application: string,
  after: string,
  limit: number,
): Promise<{ products: number; last: string | null }> {
  const { results } = await database
    .prepare(
      `SELECT DISTINCT product_id AS id FROM interactions WHERE application = ?1 AND product_id > ?2
       ORDER BY product_id LIMIT ?3`,
    )
    .bind(application, after, limit)
    .all<{ id: string }>();
  const last = results.length === limit ? (results.at(-1)?.id ?? null) : null;
  const range = "application = ?1 AND product_id > ?2 AND (?3 IS NULL OR product_id <= ?3)";
  // A user counts once by product, type and hour. They have all of their rows in one database.
  const counts = eventTypes
    .map((type) => `count(DISTINCT CASE WHEN type = '${type}' THEN user_id END)`)
    .join(", ");
  await database.batch([
    database.prepare(`DELETE FROM interaction_totals WHERE ${range}`).bind(application, after, last),
    database
      .prepare(
        `INSERT INTO interaction_totals
         SELECT application, product_id, ${hourSql("time")}, ${counts}, sum(first), sum(first_purchase)
         FROM interactions WHERE ${range} AND counts = 1 GROUP BY 1, 2, 3`,
      )
      .bind(application, after, last),
  ]);
  return { products: results.length, last };
}

/** Returns those of the events that are stored, in no order. Each row is found by its primary key. */
export async function readInteractions(
  database: D1Database,
  application: string,
  events: readonly { userId: string; eventId: string }[],
): Promise<StoredEvent[]> {
  const { results } = await database
    .prepare(
      `SELECT i.user_id AS userId, i.event_id AS eventId, i.type, i.product_id AS productId, i.time,
         i.recommendation_id AS recommendationId
       FROM json_each(?2) j CROSS JOIN interactions i
         ON i.application = ?1 AND i.user_id = j.value ->> 0 AND i.event_id = j.value ->> 1`,
    )
    .bind(application, JSON.stringify(events.map(({ userId, eventId }) => [userId, eventId])))
    .all<StoredEvent>();
  return results;
}

const hourColumns = `product_id AS productId, hour, ${countFields.join(", ")}`;

/** Returns all hourly rows of products, ascending by product and hour: the order of the primary key. */
export async function readAllHours(
  database: D1Database,
  application: string,
  productIds: string[],
): Promise<TotalsRow[]> {
  const { results } = await database
    .prepare(
      `SELECT ${hourColumns} FROM interaction_totals
       WHERE application = ?1 AND product_id IN (SELECT value FROM json_each(?2)) ORDER BY product_id, hour`,
    )
    .bind(application, JSON.stringify(productIds))
    .all<TotalsRow>();
  return results;
}

/** Returns the rows of the given hours of products, ascending by hour. Each row is found by its primary key. */
export async function readHours(
  database: D1Database,
  application: string,
  hours: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<TotalsRow[]> {
  const wanted = [...hours].flatMap(([product, list]) => [...list].map((hour) => [product, hour]));
  const { results } = await database
    .prepare(
      `SELECT ${hourColumns} FROM json_each(?2) j CROSS JOIN interaction_totals t
         ON t.application = ?1 AND t.product_id = j.value ->> 0 AND t.hour = j.value ->> 1
       ORDER BY hour`,
    )
    .bind(application, JSON.stringify(wanted))
    .all<TotalsRow>();
  return results;
}

/** Inserts visits that do not exist yet and that the user's consent allows. Returns the number of inserted rows. */
export async function insertVisits(
  database: D1Database,
  application: string,
  visits: VisitJson[],
  defaultConsent: Precision,
): Promise<number> {
  const { meta } = await database
    .prepare(
      `INSERT INTO user_locations
       SELECT ?1, j.value ->> 'u', j.value ->> 'seq', j.value ->> 'lat', j.value ->> 'lon',
         j.value ->> 'precision', j.value ->> 's'
       FROM json_each(?2) j WHERE ${notErasedSql} AND ${isAllowedSql(defaultConsent)}
       ON CONFLICT DO NOTHING`,
    )
    .bind(application, JSON.stringify(visits))
    .run();
  return meta.changes;
}

/** Returns the tombstones of those pseudonyms that have one. */
export async function readTombstones(
  database: D1Database,
  application: string,
  pseudonyms: string[],
): Promise<Tombstone[]> {
  const { results } = await database
    .prepare(
      `SELECT e.pseudonym, e.generation, e.merged_generation AS mergedGeneration FROM json_each(?2) j CROSS JOIN erasures e
         ON e.application = ?1 AND e.pseudonym = j.value`,
    )
    .bind(application, JSON.stringify(pseudonyms))
    .all<Tombstone>();
  return results;
}
