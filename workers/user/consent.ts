import { type SQL, sql } from "drizzle-orm";
import type { ConsentLimits } from "../../shared/consent/consent-limits.ts";
import { rankOf } from "../../shared/consent/levels.ts";
import type { Point, Precision } from "../../shared/contracts/primitives.ts";
import type { Replacements } from "../../shared/services/user-api.ts";
import type { UserPlace } from "./buckets/user-databases.ts";
import { encodeCoordinate, encodeId, storedIdSql } from "./compact-columns.ts";
import { users } from "./schema.ts";
import { numberSql } from "./user-numbers.ts";

// What a user's consent allows to store. These statements use D1's own API, as statements.ts does.

/**
 * SQL condition: the user's consent allows to store the location of row `j` of the list (`k`: rank of its precision, `v`:
 * version of the settings under which it was collected). A consumer coarsens what is too fine before it inserts; this
 * condition holds for a consent that was lowered just then.
 */
export const isAllowedSql = (defaultConsent: Precision): string => `NOT EXISTS (SELECT 1 FROM users u
  WHERE u.application = ?1 AND u.user_id = j.value ->> 'u' AND (
    (j.value ->> 'k' < 1 AND j.value ->> 'v' < u.approximate_before)
    OR (j.value ->> 'k' < 2 AND j.value ->> 'v' < u.city_before)
    OR (j.value ->> 'k' < 3 AND j.value ->> 'v' < u.none_before)
    OR (u.precision IS NULL AND j.value ->> 'k' < ${rankOf(defaultConsent)})))`;

/** Columns of the limits, by the rank of the level. */
const limitColumns = [
  ["approximateBefore", users.approximateBefore],
  ["cityBefore", users.cityBefore],
  ["noneBefore", users.noneBefore],
] as const;

/** Returns the limits of a new profile, of version 1: they hold for what was collected before it. */
export const limitsOfNew = (precision: Precision): Record<(typeof limitColumns)[number][0], number> => {
  const limit = (rank: number): number => (rankOf(precision) >= rank ? 1 : 0);
  return { approximateBefore: limit(1), cityBefore: limit(2), noneBefore: limit(3) };
};

/** Returns the changes of the limits for a new consent, in the update that raises the version of the settings by 1. */
export const limitChanges = (precision: Precision): Record<string, SQL> =>
  Object.fromEntries(
    limitColumns
      .slice(0, rankOf(precision))
      .map(([name]) => [name, sql`${users.settingsVersion} + 1`] as const),
  );

/** Returns the limits of those users that have a profile. */
export async function readConsentLimits(
  { database, read }: UserPlace,
  application: string,
  userIds: readonly string[],
  defaultConsent: Precision,
): Promise<ConsentLimits[]> {
  type LimitsRow = Omit<ConsentLimits, "precision" | "isStated"> & { precision: Precision | null };
  const [{ results }] = await read([
    database
      .prepare(
        `SELECT u.user_id AS userId, u.precision, u.approximate_before AS approximateBefore,
         u.city_before AS cityBefore, u.none_before AS noneBefore
       FROM json_each(?2) j CROSS JOIN users u ON u.application = ?1 AND u.user_id = j.value`,
      )
      .bind(application, JSON.stringify(userIds)),
  ]);
  return (results as LimitsRow[]).map((row) => ({
    ...row,
    precision: row.precision ?? defaultConsent,
    isStated: row.precision !== null,
  }));
}

const pointJson = (id: number, location: Point | null) => ({
  id,
  la: location?.lat ?? null,
  lo: location?.lon ?? null,
});

/**
 * Replaces locations of a user's interactions and visits in one transaction. A visit without a new location is deleted.
 * Returns the number of changed rows.
 */
export async function replaceLocations(
  { database, write }: UserPlace,
  application: string,
  userId: string,
  { precision, interactions, visits }: Replacements,
): Promise<number> {
  const events = JSON.stringify(
    interactions.map(({ eventId, location }) => ({
      id: encodeId(eventId),
      la: encodeCoordinate(location?.lat ?? null),
      lo: encodeCoordinate(location?.lon ?? null),
    })),
  );
  const places = JSON.stringify(visits.map(({ seq, location }) => pointJson(seq, location)));
  const changes = (): D1PreparedStatement => database.prepare("SELECT changes() AS changed");
  const results = await write([
    database
      .prepare(
        `UPDATE recent_interactions SET lat = j.la, lon = j.lo
         FROM (SELECT ${storedIdSql("value ->> 'id'")} AS id, value ->> 'la' AS la, value ->> 'lo' AS lo
           FROM json_each(?3)) j
         WHERE user = ${numberSql("?1", "?2")} AND recent_interactions.id = j.id`,
      )
      .bind(application, userId, events),
    changes(),
    database
      .prepare(
        `DELETE FROM user_locations WHERE application = ?1 AND user_id = ?2
         AND seq IN (SELECT value ->> 'id' FROM json_each(?3) WHERE value ->> 'la' IS NULL)`,
      )
      .bind(application, userId, places),
    changes(),
    database
      .prepare(
        `UPDATE user_locations SET lat = j.la, lon = j.lo, precision = ?4
         FROM (SELECT value ->> 'id' AS id, value ->> 'la' AS la, value ->> 'lo' AS lo FROM json_each(?3)) j
         WHERE application = ?1 AND user_id = ?2 AND seq = j.id`,
      )
      .bind(application, userId, places, precision),
    changes(),
  ]);
  const counted = [results[1], results[3], results[5]] as D1Result<{ changed: number }>[];
  return counted.reduce((sum, { results: [{ changed }] }) => sum + changed, 0);
}
