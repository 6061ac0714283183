import { getTableColumns } from "drizzle-orm";
import { differingFields } from "../../shared/contracts/event-content.ts";
import { sha256OfText } from "../../shared/hash/sha256.ts";
import type { HistoryRow, KnownToTarget, UserGeneration } from "../../shared/services/user-api.ts";
import { interactions } from "./schema.ts";

// A merge moves the rows of one user to another. These statements use D1's own API, as statements.ts does.

/** SQL condition: no tombstone covers the generation of the user in the parameters 2 (pseudonym) and 3. */
const targetExistsSql = `NOT EXISTS (SELECT 1 FROM erasures e WHERE e.application = ?1 AND e.pseudonym = ?2
  AND ?3 <= max(e.generation, e.merged_generation))`;

/** The columns of an interaction that a merge copies unchanged. */
const copiedColumns = Object.values(getTableColumns(interactions))
  .map(({ name }) => name)
  .filter(
    (name) => !["application", "user_id", "event_id", "batch", "first", "first_purchase"].includes(name),
  );

/** The user whose rows are copied: a later user with the same id has the same pseudonym, and another generation. */
type Source = Pick<UserGeneration, "pseudonym" | "generation">;

/** Returns the column `batch` of the rows that a merge copies from a user. */
const batchOfMerge = ({ pseudonym, generation }: Source): string => `merge:${pseudonym}:${generation}`;

/** Returns the id under which the target keeps an event whose own id names another event of the target. */
const derivedEventId = async ({ pseudonym, generation }: Source, eventId: string): Promise<string> =>
  `merged-${(await sha256OfText(JSON.stringify([pseudonym, generation, eventId]))).slice(0, 32)}`;

/** Stores that a generation of a user was merged: from now on, no row of it is inserted. `now` is in seconds. */
export async function closeMergedGeneration(
  database: D1Database,
  application: string,
  { pseudonym, generation }: Pick<UserGeneration, "pseudonym" | "generation">,
  now: number,
): Promise<void> {
  await database
    .prepare(
      `INSERT INTO erasures (application, pseudonym, generation, merged_generation, erased_at)
       VALUES (?1, ?2, -1, ?3, ?4)
       ON CONFLICT DO UPDATE SET merged_generation = max(merged_generation, excluded.merged_generation),
         erased_at = excluded.erased_at`,
    )
    .bind(application, pseudonym, generation, now)
    .run();
}

/** Returns the next `limit` interactions of a user after event id `after`, in the order of the primary key. */
export async function readHistory(
  database: D1Database,
  application: string,
  userId: string,
  after: string,
  limit: number,
): Promise<HistoryRow[]> {
  const columns = ["event_id", "first", "first_purchase", ...copiedColumns].map((name) => `"${name}"`);
  const { results } = await database
    .prepare(
      `SELECT ${columns.join(", ")} FROM interactions
       WHERE application = ?1 AND user_id = ?2 AND event_id > ?3 ORDER BY event_id LIMIT ?4`,
    )
    .bind(application, userId, after, limit)
    .all<HistoryRow>();
  return results;
}

/** Where copied rows go, and from whom they come. */
export interface HistoryTransfer {
  application: string;
  into: UserGeneration;
  from: Source;
  known: KnownToTarget;
}

/** Returns those rows of a page that the target lacks, with the ids and marks under which it keeps them. */
async function rowsToInsert(
  database: D1Database,
  rows: readonly HistoryRow[],
  { application, into, from, known }: HistoryTransfer,
): Promise<HistoryRow[]> {
  const { results } = await database
    .prepare(
      `SELECT i.event_id, i.type, i.product_id, i.time, i.recommendation_id, i.batch
       FROM json_each(?3) j CROSS JOIN interactions i
         ON i.application = ?1 AND i.user_id = ?2 AND i.event_id = j.value`,
    )
    .bind(application, into.userId, JSON.stringify(rows.map(({ event_id }) => event_id)))
    .all<HistoryRow & { batch: string }>();
  const stored = new Map(results.map((row) => [row.event_id, row]));
  const [equal, other] = [new Set(known.equal), new Set(known.conflicting)];
  const [chosen, purchased] = [new Set(known.chosen), new Set(known.purchased)];
  const missing: HistoryRow[] = [];
  for (const row of rows) {
    const { event_id: id, product_id: productId } = row;
    const present = stored.get(id);
    if (equal.has(id) || present?.batch === batchOfMerge(from)) continue;
    if (present && !other.has(id) && isSameEvent(present, row)) continue;
    missing.push({
      ...row,
      event_id: present || other.has(id) ? await derivedEventId(from, id) : id,
      first: chosen.has(productId) ? 0 : row.first,
      first_purchase: purchased.has(productId) ? 0 : row.first_purchase,
    });
  }
  return missing;
}

const isSameEvent = (a: HistoryRow, b: HistoryRow): boolean =>
  differingFields(contentOf(a), contentOf(b)).length === 0;

const contentOf = ({ type, product_id, time, recommendation_id }: HistoryRow) => ({
  type,
  product: product_id,
  time,
  recommendation: recommendation_id,
  location: null,
});

/**
 * Inserts copied interactions into the target's history, unless the target was erased; may be repeated. Events that the
 * target has already are left out, and those whose id names another event of the target get an id of their own. A
 * product that the target has chosen or purchased is no longer a first one. Changes no totals: they counted the events
 * when they happened. Returns the number of inserted rows. `now` is in seconds.
 */
export async function insertHistory(
  database: D1Database,
  rows: readonly HistoryRow[],
  transfer: HistoryTransfer,
  now: number,
): Promise<number> {
  const { application, into, from } = transfer;
  const list = JSON.stringify(await rowsToInsert(database, rows, transfer));
  const target = [application, into.pseudonym, into.generation, into.userId];
  const quoted = copiedColumns.map((name) => `"${name}"`);
  const values = copiedColumns.map((name) => `j.value ->> '${name}'`);
  const [, inserted] = await database.batch([
    insertMissingProfile(database, target, now),
    database
      .prepare(
        `INSERT INTO interactions (application, user_id, event_id, batch, first, first_purchase, ${quoted.join(", ")})
         WITH known AS MATERIALIZED (
           SELECT product_id, max(first) AS first, max(first_purchase) AS first_purchase FROM interactions
           WHERE application = ?1 AND user_id = ?4 AND (first = 1 OR first_purchase = 1) GROUP BY 1)
         SELECT ?1, ?4, j.value ->> 'event_id', ?6,
           min(j.value ->> 'first', 1 - coalesce(k.first, 0)),
           min(j.value ->> 'first_purchase', 1 - coalesce(k.first_purchase, 0)), ${values.join(", ")}
         FROM json_each(?5) j LEFT JOIN known k ON k.product_id = j.value ->> 'product_id'
         WHERE ${targetExistsSql}
         ON CONFLICT DO NOTHING`,
      )
      .bind(...target, list, batchOfMerge(from)),
  ]);
  return inserted.meta.changes;
}

/** Returns the statement that creates a target's profile if it is missing. `target`: the parameters 1 to 4. */
const insertMissingProfile = (
  database: D1Database,
  target: readonly (string | number)[],
  now: number,
): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO users (application, user_id, attributes, settings_version, created_at, updated_at)
       SELECT ?1, ?4, '{}', 0, ?5, ?5 WHERE ${targetExistsSql}
       ON CONFLICT DO NOTHING`,
    )
    .bind(...target, now);

/**
 * Gives home, consent and attributes of a merged user to the target, unless the target has stated its own or was
 * erased. Returns whether the merged user had any. `now` is in seconds.
 */
export async function adoptProfile(
  from: { database: D1Database; userId: string },
  database: D1Database,
  application: string,
  into: UserGeneration,
  now: number,
): Promise<boolean> {
  const stated = await from.database
    .prepare(
      `SELECT home_lat AS lat, home_lon AS lon, precision, attributes FROM users
       WHERE application = ? AND user_id = ? AND settings_version > 0`,
    )
    .bind(application, from.userId)
    .first<{ lat: number | null; lon: number | null; precision: string | null; attributes: string }>();
  if (!stated) return false;
  const target = [application, into.pseudonym, into.generation, into.userId];
  await database.batch([
    insertMissingProfile(database, target, now),
    database
      .prepare(
        `UPDATE users SET home_lat = ?6, home_lon = ?7, precision = ?8, attributes = ?9, settings_version = 1,
           updated_at = ?5
         WHERE application = ?1 AND user_id = ?4 AND settings_version = 0 AND ${targetExistsSql}`,
      )
      .bind(...target, now, stated.lat, stated.lon, stated.precision, stated.attributes),
  ]);
  return true;
}
