import { eventTypes } from "../../shared/contracts/event.ts";
import type { Precision } from "../../shared/contracts/primitives.ts";
import { countFields } from "../../shared/contracts/totals.ts";
import type { StoredEvent, Tombstone } from "../../shared/services/user-api.ts";
import type { UserPlace } from "./buckets/user-databases.ts";
import { decodeId, encodeId, marksSql, numberOfType, readableIdSql, storedIdSql } from "./compact-columns.ts";
import { isAllowedSql } from "./consent.ts";
import {
  type InteractionJson,
  type TotalsRow,
  type UserJson,
  usersOf,
  type VisitJson,
} from "./interaction-rows.ts";
import { interactionColumns, interactionOf, type StoredColumns } from "./stored-interaction.ts";
import { insertNumbers } from "./user-numbers.ts";

// These statements use D1's own API: they pass a list as one JSON parameter, and drizzle's batch accepts no raw
// statements with parameters.

/**
 * SQL condition: no tombstone covers the user's generation of row `j` of the list (`o`: pseudonym, `g`: generation).
 */
const notErasedSql = `NOT EXISTS (SELECT 1 FROM erasures e
  WHERE e.application = ?1 AND e.pseudonym = j.value ->> 'o' AND j.value ->> 'g' <= max(e.generation, e.merged_generation))`;

/** SQL expression: the UTC hour of a time in milliseconds, as whole hours since the epoch. */
const hourSql = (time: string): string => `CAST(floor(${time} / 3600000.0) AS INTEGER)`;

/** SQL expression: the UTC day of row `j` of the list, as whole days since the epoch. */
const dayOfRowSql = "CAST(floor((j.value ->> 's') / 86400000.0) AS INTEGER)";

/**
 * SQL expression: whether row `j` of the list counts for others. Of users of one network whom nobody vouches for, the
 * first row by product, type and day counts.
 */
const countsSql = `iif(j.value ->> 'n' IS NULL, j.value ->> 'c',
  row_number() OVER (PARTITION BY j.value ->> 'n', ${dayOfRowSql} ORDER BY j.key) = 1
  AND NOT EXISTS (SELECT 1 FROM network_counts n
    WHERE n.day = ${dayOfRowSql} AND n.application = ?1 AND n.key = j.value ->> 'n'))`;

/**
 * SQL query: the rows of the list (parameter 2) that are not stored yet, each event once, with the columns of
 * `recent_interactions` that statements need, and `counts`. Each is looked up by primary key; CROSS JOIN keeps SQLite from
 * scanning a table instead.
 */
const newRowsSql = `SELECT j.key, j.value, n.number AS user, ${storedIdSql("j.value ->> 'e'")} AS id, ${countsSql} AS counts
  FROM json_each(?2) j CROSS JOIN user_numbers n ON n.application = ?1 AND n.user_id = j.value ->> 'u'
  WHERE ${notErasedSql} AND NOT EXISTS (SELECT 1 FROM recent_interactions i
    WHERE i.user = n.number AND i.id = ${storedIdSql("j.value ->> 'e'")})`;

/** Numbers and profiles of the users of a list that lack them, but for erased users. */
const insertMissingUsers = (
  database: D1Database,
  application: string,
  users: readonly UserJson[],
  now: number,
): D1PreparedStatement[] => [
  insertNumbers(database, application, users, notErasedSql),
  database
    .prepare(
      `INSERT INTO users (application, user_id, attributes, settings_version, created_at, updated_at)
       SELECT DISTINCT ?1, j.value ->> 'u', '{}', 0, ?3, ?3
       FROM json_each(?2) j WHERE ${notErasedSql}
       ON CONFLICT DO NOTHING`,
    )
    .bind(application, JSON.stringify(users), now),
];

/** Name of the row in `user_storage` that says up to which user id a recount has read an application's users. */
export const recountName = (application: string): string => `recount ${application}`;

const additionsTo = (table: string): string =>
  countFields.map((name) => `"${name}" = ${table}."${name}" + excluded."${name}"`).join(", ");

/**
 * Returns the statement that adds the new rows of a list to a table of totals: those of the users for whom the SQL
 * condition `users` holds. Of each type, a user counts once for a product and hour: a row adds nothing if an equal one is
 * stored, for which the user's rows of the hour are read by the index and grouped with the new ones: NOT IN would read all
 * of them again for each new row. Rows that do not count for others add nothing either.
 */
const addNewRows = (
  database: D1Database,
  table: "interaction_totals" | "recounted_totals",
  users: string,
  application: string,
  list: string,
): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO ${table}
       WITH added AS MATERIALIZED (
         SELECT user, q, type, hour, p, sum(first) AS first, sum(first_purchase) AS first_purchase
         FROM (
           SELECT j.user, j.value ->> 'q' AS q, j.value ->> 'p' AS p, ${marksSql.type("(j.value ->> 't')")} AS type,
             ${hourSql("(j.value ->> 's')")} AS hour, ${marksSql.first("(j.value ->> 't')")} AS first,
             ${marksSql.firstPurchase("(j.value ->> 't')")} AS first_purchase, min(j.key)
           FROM (${newRowsSql} AND ${users}) j WHERE j.counts
           GROUP BY j.user, j.id)
         GROUP BY 1, 2, 3, 4),
       known AS MATERIALIZED (
         SELECT i.user, ${readableIdSql("i.product")} AS q, ${marksSql.type("i.marks")} AS type, h.hour
         FROM (SELECT DISTINCT user, hour FROM added) h CROSS JOIN recent_interactions i
           ON i.user = h.user AND i.time >= h.hour * 3600000 AND i.time < (h.hour + 1) * 3600000
         WHERE ${marksSql.counts("i.marks")}),
       marked AS MATERIALIZED (
         SELECT max(p) AS p, type, hour, max(is_known) = 0 AS is_new, sum(first) AS first,
           sum(first_purchase) AS first_purchase
         FROM (SELECT *, 0 AS is_known FROM added UNION ALL SELECT *, NULL, 0, 0, 1 FROM known)
         GROUP BY user, q, type, hour
         HAVING min(is_known) = 0)
       SELECT ?1, p, hour, ${eventTypes.map((type) => `sum(type = ${numberOfType(type)} AND is_new)`).join(", ")},
         sum(first), sum(first_purchase)
       FROM marked WHERE true
       GROUP BY p, hour
       ON CONFLICT DO UPDATE SET ${additionsTo(table)}`,
    )
    .bind(application, list);

/** SQL condition: a recount of the application is running, and has read the user of row `j` of the list already. */
const isRecountedSql =
  "j.value ->> 'u' <= (SELECT r.value FROM user_storage r WHERE r.name = 'recount ' || ?1)";

/** What a batch of interactions changed in one database. */
export interface StoredBatch {
  /** Number of inserted rows. */
  inserted: number;
  /** Events that do not count for others, because another user of their network has counted. */
  uncounted: { userId: string; eventId: string }[];
  /** Rows of the hours that were asked for, ascending by hour. */
  hours: TotalsRow[];
}

/**
 * Inserts interactions that do not exist yet and adds them to the hourly totals, in one transaction, in which the rows of
 * `hours` are read last.
 *
 * The totals are computed before the insert, from the rows that are about to be inserted: in one transaction they are the
 * same for all statements. A repeated call inserts nothing and adds nothing.
 */
export async function insertInteractions(
  { database, numbersOf, write }: UserPlace,
  application: string,
  rows: readonly InteractionJson[],
  hours: ReadonlyMap<string, ReadonlySet<number>>,
  now: number,
  defaultConsent: Precision,
): Promise<StoredBatch> {
  const list = JSON.stringify(rows);
  const location = (key: string): string =>
    `iif(j.value ->> 'la' IS NULL OR ${isAllowedSql(defaultConsent)}, j.value ->> '${key}', NULL)`;
  const ofNetworks = rows.some(({ n }) => n !== null);
  const results = await write([
    ...insertMissingUsers(database, application, usersOf(rows, numbersOf), now),
    addNewRows(database, "interaction_totals", "true", application, list),
    addNewRows(database, "recounted_totals", isRecountedSql, application, list),
    database
      .prepare(
        `INSERT INTO recent_interactions (user, id, time, marks, product, lat, lon, recommendation, worth)
         SELECT j.user, j.id, j.value ->> 's', (j.value ->> 't') + (j.counts > 0) * ${marksSql.bits.counts},
           ${storedIdSql("j.value ->> 'q'")}, ${location("la")}, ${location("lo")}, ${storedIdSql("j.value ->> 'r'")},
           j.value ->> 'w'
         FROM (${newRowsSql}) j WHERE true
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, list),
    // `meta.changes` would count what triggers change too, which follow a bucket while it moves.
    database.prepare("SELECT changes() AS inserted"),
    hoursStatement(database, application, hours),
    ...(ofNetworks ? networkStatements(database, application, list) : []),
  ]);
  const [{ inserted }] = results[5].results as { inserted: number }[];
  const uncounted = (results[8]?.results ?? []) as { userId: string; id: string }[];
  return {
    inserted,
    hours: results[6].results as TotalsRow[],
    uncounted: uncounted.map(({ userId, id }) => ({ userId, eventId: decodeId(id) })),
  };
}

/** Stores the networks that have counted by the rows of a list, and reads those of its rows that do not count. */
function networkStatements(database: D1Database, application: string, list: string): D1PreparedStatement[] {
  const stored = `json_each(?2) j CROSS JOIN user_numbers n ON n.application = ?1 AND n.user_id = j.value ->> 'u'
    CROSS JOIN recent_interactions i ON i.user = n.number AND i.id = ${storedIdSql("j.value ->> 'e'")}
    WHERE j.value ->> 'n' IS NOT NULL`;
  return [
    database
      .prepare(
        `INSERT INTO network_counts
         SELECT DISTINCT ${dayOfRowSql}, ?1, j.value ->> 'n' FROM ${stored} AND ${marksSql.counts("i.marks")}
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, list),
    database
      .prepare(
        `SELECT j.value ->> 'u' AS userId, j.value ->> 'e' AS id FROM ${stored} AND NOT ${marksSql.counts("i.marks")}`,
      )
      .bind(application, list),
  ];
}

/** Returns those of the events that are stored, in no order. Each row is found by its primary key. */
export async function readInteractions(
  { database, read }: UserPlace,
  application: string,
  events: readonly { userId: string; eventId: string }[],
): Promise<StoredEvent[]> {
  const [{ results }] = await read([
    database
      .prepare(
        `SELECT j.value ->> 0 AS userId, ${interactionColumns}
         FROM json_each(?2) j CROSS JOIN user_numbers n ON n.application = ?1 AND n.user_id = j.value ->> 0
         CROSS JOIN recent_interactions i ON i.user = n.number AND i.id = ${storedIdSql("j.value ->> 1")}`,
      )
      .bind(application, JSON.stringify(events.map(({ userId, eventId }) => [userId, encodeId(eventId)]))),
  ]);
  return (results as (StoredColumns & { userId: string })[]).map((columns) => {
    const { eventId, type, productId, time, recommendationId, worth } = interactionOf(columns);
    return { userId: columns.userId, eventId, type, productId, time, recommendationId, worth };
  });
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

/** Returns the query of the given hours of products, ascending by hour. Each row is found by its primary key. */
function hoursStatement(
  database: D1Database,
  application: string,
  hours: ReadonlyMap<string, ReadonlySet<number>>,
): D1PreparedStatement {
  const wanted = [...hours].flatMap(([product, list]) => [...list].map((hour) => [product, hour]));
  return database
    .prepare(
      `SELECT ${hourColumns} FROM json_each(?2) j CROSS JOIN interaction_totals t
         ON t.application = ?1 AND t.product_id = j.value ->> 0 AND t.hour = j.value ->> 1
       ORDER BY hour`,
    )
    .bind(application, JSON.stringify(wanted));
}

/** Returns the rows of the given hours of products, ascending by hour. */
export const readHours = async (
  database: D1Database,
  application: string,
  hours: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<TotalsRow[]> => (await hoursStatement(database, application, hours).all<TotalsRow>()).results;

/** Inserts visits that do not exist yet and that the user's consent allows. Returns the number of inserted rows. */
export async function insertVisits(
  { database, numbersOf, write }: UserPlace,
  application: string,
  visits: readonly VisitJson[],
  defaultConsent: Precision,
): Promise<number> {
  const [, , { results }] = await write([
    insertNumbers(database, application, usersOf(visits, numbersOf), notErasedSql),
    database
      .prepare(
        `INSERT INTO user_locations
         SELECT ?1, j.value ->> 'u', j.value ->> 'seq', j.value ->> 'lat', j.value ->> 'lon',
           j.value ->> 'precision', j.value ->> 's'
         FROM json_each(?2) j WHERE ${notErasedSql} AND ${isAllowedSql(defaultConsent)}
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, JSON.stringify(visits)),
    database.prepare("SELECT changes() AS inserted"),
  ]);
  return (results as { inserted: number }[])[0].inserted;
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
