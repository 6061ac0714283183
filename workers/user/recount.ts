import * as z from "zod";
import { eventTypes } from "../../shared/contracts/event.ts";
import { countFields, hoursOfWeek } from "../../shared/contracts/totals.ts";
import { bucketOf, numbersOf } from "./buckets/user-buckets.ts";
import type { UserDatabases } from "./buckets/user-databases.ts";
import { marksSql, numberOfType, productIdSql } from "./compact-columns.ts";
import { deleteValue, expiredBeforeName, readValue } from "./job-positions.ts";
import { moveOldPage } from "./old-interactions.ts";
import { recountName } from "./statements.ts";

// A recount reads the interactions of an application user by user, into the table `recounted_totals`. Then it replaces
// the totals of each product by what it has counted. Meanwhile `insertInteractions` adds the rows of users that the
// recount has read to both tables, so that the two are equal at its end.

/** Users that one step reads. */
const usersPerStep = 500;

/** Pages of interactions of earlier versions that one step moves before it counts them. */
const oldPagesPerStep = 20;

/** A text after all user ids, whose bytes are valid UTF-8. */
const lastUserId = "\u{10ffff}".repeat(33);

/** Position of a recount. */
export const recountPosition = z.object({
  /** Index of the database. */
  database: z.number().int().min(0),
  /** `count` reads users, `replace` writes the totals of products. */
  phase: z.enum(["count", "replace"]),
  /** User id or product id after which the step begins. */
  after: z.string(),
  /** Which database has which bucket. If a bucket has moved, the recount begins again: it might count its users twice. */
  owners: z.string(),
});
export type RecountPosition = z.infer<typeof recountPosition>;

/** A step of a recount: the number of products that it has recounted; `next` is null after the last step. */
export interface RecountStep {
  products: number;
  next: RecountPosition | null;
}

/**
 * Runs one step of a recount of an application's totals, at most `limit` products at a time. Hours of which interactions
 * may have expired keep their totals.
 */
export async function recountStep(
  databases: UserDatabases,
  application: string,
  start: RecountPosition | null,
  limit: number,
): Promise<RecountStep> {
  const map = await databases.reloadMap();
  const owners = map.owners.join("");
  const at: RecountPosition =
    start?.owners === owners && start.database < databases.all.length
      ? start
      : { database: 0, phase: "count", after: "", owners };
  const database = databases.all[at.database];
  if (at.phase === "count") {
    for (let page = 0; page < oldPagesPerStep; page++) {
      const moved = await moveOldPage(database, (owner, userId) =>
        numbersOf(bucketOf(owner, userId, map.bucketCount), map.bucketCount),
      );
      if (moved === 0) break;
      if (page === oldPagesPerStep - 1) return { products: 0, next: at };
    }
    const last = await countUsers(database, application, at.after, map.bucketCount);
    return {
      products: 0,
      next: last === null ? { ...at, phase: "replace", after: "" } : { ...at, after: last },
    };
  }
  const { products, last } = await replaceTotals(database, application, at.after, limit);
  if (last !== null) return { products, next: { ...at, after: last } };
  const following = at.database + 1;
  return {
    products,
    next:
      following < databases.all.length
        ? { database: following, phase: "count", after: "", owners: at.owners }
        : null,
  };
}

/** Adds the interactions of the next users to `recounted_totals`. Returns the last user id; null after the last one. */
async function countUsers(
  database: D1Database,
  application: string,
  after: string,
  bucketCount: number,
): Promise<string | null> {
  const users = `SELECT number, user_id FROM user_numbers WHERE application = ?1 AND user_id > ?2
    ORDER BY user_id LIMIT ${usersPerStep}`;
  const counts = eventTypes.map((type) => `count(DISTINCT iif(type = ${numberOfType(type)}, user, NULL))`);
  const add = database
    .prepare(
      `INSERT INTO recounted_totals
       SELECT ?1, product, hour, ${counts.join(", ")}, sum(first), sum(first_purchase)
       FROM (
         SELECT i.user, ${productIdSql("i.product")} AS product, ${marksSql.type("i.marks")} AS type,
           CAST(floor(i.time / 3600000.0) AS INTEGER) AS hour, ${marksSql.first("i.marks")} AS first,
           ${marksSql.firstPurchase("i.marks")} AS first_purchase
         FROM (${users}) page CROSS JOIN buckets b ON b.bucket = (page.number + 2147483648) / CAST(?3 AS INTEGER)
           CROSS JOIN recent_interactions i ON i.user = page.number
         WHERE b.state IN ('owned', 'leaving') AND ${marksSql.counts("i.marks")})
       WHERE true GROUP BY product, hour
       ON CONFLICT DO UPDATE SET
         ${countFields.map((name) => `"${name}" = recounted_totals."${name}" + excluded."${name}"`).join(", ")}`,
    )
    .bind(application, after, Math.floor(2 ** 32 / bucketCount));
  const begin =
    after === ""
      ? [database.prepare("DELETE FROM recounted_totals WHERE application = ?1").bind(application)]
      : [];
  const results = await database.batch<{ last: string | null }>([
    ...begin,
    add,
    // From now on, new rows of these users are added to both tables.
    database
      .prepare(
        `INSERT INTO user_storage (name, value)
         SELECT ?1, coalesce((SELECT max(user_id) FROM (${users.replaceAll("?1", "?3")})), ?4)
         WHERE true ON CONFLICT DO UPDATE SET value = excluded.value`,
      )
      .bind(recountName(application), after, application, lastUserId),
    database.prepare(`SELECT max(user_id) AS last FROM (${users})`).bind(application, after),
  ]);
  return results[results.length - 1].results[0].last;
}

/**
 * Replaces the totals of the next `limit` products by those that were counted, but for hours in which interactions may
 * have expired. Returns the number of products, and the last one if there may be more.
 */
async function replaceTotals(
  database: D1Database,
  application: string,
  after: string,
  limit: number,
): Promise<{ products: number; last: string | null }> {
  const nextOf = (table: string): string => `SELECT DISTINCT product_id AS id FROM ${table}
    WHERE application = ?1 AND product_id > ?2 ORDER BY product_id LIMIT ?3`;
  const { results } = await database
    .prepare(
      `SELECT id FROM (SELECT * FROM (${nextOf("interaction_totals")}) UNION SELECT * FROM (${nextOf("recounted_totals")}))
       ORDER BY id LIMIT ?3`,
    )
    .bind(application, after, limit)
    .all<{ id: string }>();
  const last = results.length === limit ? (results.at(-1)?.id ?? null) : null;
  const expiredBefore = Number((await readValue(database, expiredBeforeName)) ?? Number.MIN_SAFE_INTEGER);
  // Hours of the week are sums of old hours, which lie before all others.
  const firstHour = Math.max(hoursOfWeek, Math.ceil(expiredBefore / 3_600_000));
  const range = "application = ?1 AND product_id > ?2 AND (?3 IS NULL OR product_id <= ?3)";
  await database.batch([
    database
      .prepare(`DELETE FROM interaction_totals WHERE ${range} AND hour >= ?4`)
      .bind(application, after, last, firstHour),
    database
      .prepare(
        `INSERT INTO interaction_totals SELECT * FROM recounted_totals WHERE ${range} AND hour >= ?4
         ON CONFLICT DO NOTHING`,
      )
      .bind(application, after, last, firstHour),
    database.prepare(`DELETE FROM recounted_totals WHERE ${range}`).bind(application, after, last),
    ...(last === null ? [deleteValue(database, recountName(application))] : []),
  ]);
  return { products: results.length, last };
}
