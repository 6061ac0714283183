import type { NumberRange } from "./buckets/user-buckets.ts";
import {
  encodeId,
  encodeProductId,
  marksSql,
  storedCoordinateSql,
  storedIdSql,
  storedTimeSql,
} from "./compact-columns.ts";
import { copiedFromOldBatch } from "./copied-from.ts";
import { insertNumbers } from "./user-numbers.ts";

// Earlier versions stored interactions in the table `interactions`, at twice the size. Its rows move to
// `recent_interactions`: those of a user before anything of them is read or written, and all others page by page.

/** Maximum number of rows that one transaction moves. */
const maxRowsPerPage = 1000;

/** A row of the old table: its key, and its ids, which move as bytes. */
interface OldRow {
  application: string;
  user_id: string;
  event_id: string;
  product_id: string;
  recommendation_id: string | null;
  batch: string;
}

const oldColumns = "application, user_id, event_id, product_id, recommendation_id, batch";

/** Moves some rows of the old table, in one transaction. A row that was deleted meanwhile stays deleted. */
async function moveRows(
  database: D1Database,
  rows: readonly OldRow[],
  numbersOf: (application: string, userId: string) => NumberRange,
): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  for (const [application, part] of Map.groupBy(rows, (row) => row.application)) {
    const users = [...new Set(part.map(({ user_id }) => user_id))];
    const list = JSON.stringify(
      part.map((row) => ({
        u: row.user_id,
        e: row.event_id,
        i: encodeId(row.event_id),
        p: encodeProductId(row.product_id),
        r: row.recommendation_id === null ? null : encodeId(row.recommendation_id),
        m: copiedFromOldBatch(row.batch),
      })),
    );
    const { bits } = marksSql;
    const marks = `${marksSql.ofOldColumns("o.type")} + (o.first > 0) * ${bits.first}
      + (o.first_purchase > 0) * ${bits.firstPurchase} + (o.counts > 0) * ${bits.counts}`;
    statements.push(
      insertNumbers(
        database,
        application,
        users.map((u) => ({ u, ...numbersOf(application, u) })),
        // Only for rows that are still there.
        "EXISTS (SELECT 1 FROM interactions o WHERE o.application = ?1 AND o.user_id = j.value ->> 'u')",
      ),
      database
        .prepare(
          `INSERT INTO recent_interactions
             (user, id, time, marks, product, lat, lon, recommendation, copied_from)
           SELECT n.number, ${storedIdSql("j.value ->> 'i'")}, ${storedTimeSql("o.time")}, ${marks},
             ${storedIdSql("j.value ->> 'p'")}, ${storedCoordinateSql("o.lat")}, ${storedCoordinateSql("o.lon")},
             ${storedIdSql("j.value ->> 'r'")}, j.value ->> 'm'
           FROM json_each(?2) j CROSS JOIN interactions o
             ON o.application = ?1 AND o.user_id = j.value ->> 'u' AND o.event_id = j.value ->> 'e'
           CROSS JOIN user_numbers n ON n.application = ?1 AND n.user_id = o.user_id
           WHERE true ON CONFLICT DO NOTHING`,
        )
        .bind(application, list),
      database
        .prepare(
          `DELETE FROM interactions WHERE (application, user_id, event_id) IN (
             SELECT ?1, j.value ->> 'u', j.value ->> 'e' FROM json_each(?2) j)`,
        )
        .bind(application, list),
    );
  }
  await database.batch(statements);
}

/** Moves the rows of some users out of the old table. */
export async function moveOldInteractions(
  database: D1Database,
  application: string,
  userIds: readonly string[],
  numbersOf: (userId: string) => NumberRange,
): Promise<void> {
  for (;;) {
    const { results } = await database
      .prepare(
        `SELECT ${oldColumns} FROM interactions
         WHERE application = ?1 AND user_id IN (SELECT value FROM json_each(?2)) LIMIT ${maxRowsPerPage}`,
      )
      .bind(application, JSON.stringify(userIds))
      .all<OldRow>();
    if (results.length > 0) await moveRows(database, results, (_, userId) => numbersOf(userId));
    if (results.length < maxRowsPerPage) return;
  }
}

/** Moves the next page of the old table. Returns the number of moved rows: 0 if the table is empty. */
export async function moveOldPage(
  database: D1Database,
  numbersOf: (application: string, userId: string) => NumberRange,
): Promise<number> {
  const { results } = await database
    .prepare(`SELECT ${oldColumns} FROM interactions WHERE application > ''
         ORDER BY application, user_id, event_id LIMIT ${maxRowsPerPage}`)
    .all<OldRow>();
  if (results.length > 0) await moveRows(database, results, numbersOf);
  return results.length;
}
