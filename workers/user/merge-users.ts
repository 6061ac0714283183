import { differingFields } from "../../shared/contracts/event-content.ts";
import { sha256OfText } from "../../shared/hash/sha256.ts";
import type { HistoryRow, KnownToTarget, UserGeneration } from "../../shared/services/user-api.ts";
import type { UserPlace } from "./buckets/user-databases.ts";
import {
  encodeCoordinate,
  encodeId,
  encodeMarks,
  encodeProductId,
  encodeTime,
  marksSql,
  storedIdSql,
} from "./compact-columns.ts";
import { copiedFromOldBatch, oldBatchOf } from "./copied-from.ts";
import {
  type InteractionRow,
  interactionColumns,
  interactionOf,
  type StoredColumns,
} from "./stored-interaction.ts";
import { insertNumberOfProfile, numberSql } from "./user-numbers.ts";

// A merge moves the rows of one user to another. These statements use D1's own API, as statements.ts does.

/** SQL condition: no tombstone covers the generation of the user in the parameters 2 (pseudonym) and 3. */
const targetExistsSql = `NOT EXISTS (SELECT 1 FROM erasures e WHERE e.application = ?1 AND e.pseudonym = ?2
  AND ?3 <= max(e.generation, e.merged_generation))`;

/** The user whose rows are copied: a later user with the same id has the same pseudonym, and another generation. */
type Source = Pick<UserGeneration, "pseudonym" | "generation">;

/** Returns the column `copied_from` of the rows that a merge copies from a user. */
const copiedFrom = (source: Source): number | null => copiedFromOldBatch(oldBatchOf(source));

/** Returns the id under which the target keeps an event whose own id names another event of the target. */
const derivedEventId = async ({ pseudonym, generation }: Source, eventId: string): Promise<string> =>
  `merged-${(await sha256OfText(JSON.stringify([pseudonym, generation, eventId]))).slice(0, 32)}`;

/** Stores that a generation of a user was merged: from now on, no row of it is inserted. `now` is in seconds. */
export async function closeMergedGeneration(
  { database, write, bucketOf }: UserPlace,
  application: string,
  { userId, pseudonym, generation }: UserGeneration,
  now: number,
): Promise<void> {
  await write([
    database
      .prepare(
        `INSERT INTO erasures (application, pseudonym, generation, merged_generation, erased_at, bucket)
         VALUES (?1, ?2, -1, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET merged_generation = max(merged_generation, excluded.merged_generation),
           erased_at = excluded.erased_at, bucket = excluded.bucket`,
      )
      .bind(application, pseudonym, generation, now, bucketOf(userId)),
  ]);
}

/** Returns a stored interaction as a merge passes it on. */
const historyRowOf = (row: InteractionRow): HistoryRow => ({
  event_id: row.eventId,
  type: row.type,
  product_id: row.productId,
  time: row.time,
  lat: row.lat,
  lon: row.lon,
  recommendation_id: row.recommendationId,
  first: row.first,
  first_purchase: row.firstPurchase,
  counts: row.counts,
  worth: row.worth,
});

/** Returns the next `limit` interactions of a user after event id `after`, in the order of the primary key. */
export async function readHistory(
  { database, read }: UserPlace,
  application: string,
  userId: string,
  after: string,
  limit: number,
): Promise<HistoryRow[]> {
  const [{ results }] = await read([
    database
      .prepare(
        `SELECT ${interactionColumns} FROM recent_interactions i
         WHERE i.user = ${numberSql("?1", "?2")} AND i.id > ${storedIdSql("?3")} ORDER BY i.id LIMIT ?4`,
      )
      .bind(application, userId, encodeId(after), limit),
  ]);
  return (results as StoredColumns[]).map((columns) => historyRowOf(interactionOf(columns)));
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
  { database, read }: UserPlace,
  rows: readonly HistoryRow[],
  { application, into, from, known }: HistoryTransfer,
): Promise<HistoryRow[]> {
  const [{ results }] = await read([
    database
      .prepare(
        `SELECT ${interactionColumns}
         FROM json_each(?3) j CROSS JOIN recent_interactions i
           ON i.user = ${numberSql("?1", "?2")} AND i.id = ${storedIdSql("j.value")}`,
      )
      .bind(application, into.userId, JSON.stringify(rows.map(({ event_id }) => encodeId(event_id)))),
  ]);
  const stored = new Map(
    (results as StoredColumns[]).map((columns) => {
      const row = interactionOf(columns);
      return [row.eventId, { ...historyRowOf(row), copiedFrom: row.copiedFrom }] as const;
    }),
  );
  const [equal, other] = [new Set(known.equal), new Set(known.conflicting)];
  const [chosen, purchased] = [new Set(known.chosen), new Set(known.purchased)];
  const missing: HistoryRow[] = [];
  for (const row of rows) {
    const { event_id: id, product_id: productId } = row;
    const present = stored.get(id);
    if (equal.has(id) || present?.copiedFrom === copiedFrom(from)) continue;
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

const contentOf = ({ type, product_id, time, recommendation_id, worth = null }: HistoryRow) => ({
  type,
  product: product_id,
  time,
  recommendation: recommendation_id,
  location: null,
  worth,
});

/**
 * Inserts copied interactions into the target's history, unless the target was erased; may be repeated. Events that the
 * target has already are left out, and those whose id names another event of the target get an id of their own. A
 * product that the target has chosen or purchased is no longer a first one. Changes no totals: they counted the events
 * when they happened. Returns the number of inserted rows. `now` is in seconds.
 */
export async function insertHistory(
  place: UserPlace,
  rows: readonly HistoryRow[],
  transfer: HistoryTransfer,
  now: number,
): Promise<number> {
  const { application, into, from } = transfer;
  const { database } = place;
  const list = JSON.stringify(
    (await rowsToInsert(place, rows, transfer)).map((row) => ({
      e: encodeId(row.event_id),
      q: encodeProductId(row.product_id),
      s: encodeTime(row.time),
      la: encodeCoordinate(row.lat),
      lo: encodeCoordinate(row.lon),
      r: row.recommendation_id === null ? null : encodeId(row.recommendation_id),
      w: row.worth ?? null,
      t: encodeMarks({
        type: row.type,
        first: row.first,
        firstPurchase: row.first_purchase,
        counts: Number(row.counts ?? 1),
      }),
    })),
  );
  const target = [application, into.pseudonym, into.generation, into.userId];
  const { bits } = marksSql;
  const flags = bits.first + bits.firstPurchase;
  const results = await place.write([
    ...insertMissingProfile(place, target, into.userId, now),
    database
      .prepare(
        `INSERT INTO recent_interactions (user, id, time, marks, product, lat, lon, recommendation, worth, copied_from)
         WITH known AS MATERIALIZED (
           SELECT product, max(${marksSql.first("marks")}) AS first, max(${marksSql.firstPurchase("marks")}) AS first_purchase
           FROM recent_interactions WHERE user = ${numberSql("?1", "?4")} AND marks & ${flags} GROUP BY 1)
         SELECT ${numberSql("?1", "?4")}, ${storedIdSql("j.value ->> 'e'")}, j.value ->> 's',
           (j.value ->> 't') & ~(coalesce(k.first, 0) * ${bits.first} + coalesce(k.first_purchase, 0) * ${bits.firstPurchase}),
           ${storedIdSql("j.value ->> 'q'")}, j.value ->> 'la', j.value ->> 'lo', ${storedIdSql("j.value ->> 'r'")},
           j.value ->> 'w', ?6
         FROM json_each(?5) j LEFT JOIN known k ON k.product = ${storedIdSql("j.value ->> 'q'")}
         WHERE ${targetExistsSql}
         ON CONFLICT DO NOTHING`,
      )
      .bind(...target, list, copiedFrom(from)),
    database.prepare("SELECT changes() AS inserted"),
  ]);
  return (results[3].results as { inserted: number }[])[0].inserted;
}

/** Returns the statements that create a target's profile if it is missing. `target`: the parameters 1 to 4. */
const insertMissingProfile = (
  { database, numbersOf }: UserPlace,
  target: readonly (string | number)[],
  userId: string,
  now: number,
): D1PreparedStatement[] => [
  database
    .prepare(
      `INSERT INTO users (application, user_id, attributes, settings_version, created_at, updated_at)
       SELECT ?1, ?4, '{}', 0, ?5, ?5 WHERE ${targetExistsSql}
       ON CONFLICT DO NOTHING`,
    )
    .bind(...target, now),
  insertNumberOfProfile(database, target[0] as string, userId, numbersOf(userId)),
];

/** What a user has stated of themselves. */
interface StatedProfile {
  lat: number | null;
  lon: number | null;
  precision: string | null;
  attributes: string;
}

/** Returns what a user has stated of themselves; null if it is nothing. */
export async function readStatedProfile(
  { database, read }: UserPlace,
  application: string,
  userId: string,
): Promise<StatedProfile | null> {
  const [{ results }] = await read([
    database
      .prepare(
        `SELECT home_lat AS lat, home_lon AS lon, precision, attributes FROM users
         WHERE application = ?1 AND user_id = ?2 AND settings_version > 0`,
      )
      .bind(application, userId),
  ]);
  return (results as StatedProfile[])[0] ?? null;
}

/**
 * Gives home, consent and attributes of a merged user to the target, unless the target has stated its own or was
 * erased. `now` is in seconds.
 */
export async function adoptProfile(
  place: UserPlace,
  application: string,
  stated: StatedProfile,
  into: UserGeneration,
  now: number,
): Promise<void> {
  const target = [application, into.pseudonym, into.generation, into.userId];
  await place.write([
    ...insertMissingProfile(place, target, into.userId, now),
    place.database
      .prepare(
        `UPDATE users SET home_lat = ?6, home_lon = ?7, precision = ?8, attributes = ?9, settings_version = 1,
           updated_at = ?5
         WHERE application = ?1 AND user_id = ?4 AND settings_version = 0 AND ${targetExistsSql}`,
      )
      .bind(...target, now, stated.lat, stated.lon, stated.precision, stated.attributes),
  ]);
}
