import * as z from "zod";
import { deleteValue, type JobName, readValue, storeValue } from "../job-positions.ts";
import { moveOldPage } from "../old-interactions.ts";
import { insertNumbers } from "../user-numbers.ts";
import { bucketOf, numbersOf } from "./user-buckets.ts";

// Rows of earlier versions: interactions in their old table, and users without a number. A bucket moves after its
// database has none of them.

/** Users that one page numbers. */
const usersPerPage = 1000;

const userPosition = z.object({ application: z.string(), userId: z.string() });
type UserPosition = z.infer<typeof userPosition>;

const tables: readonly { table: "users" | "user_locations"; job: JobName }[] = [
  { table: "users", job: "number profiles" },
  { table: "user_locations", job: "number visits" },
];

/** Numbers the next users of a table. Returns how many users the page has: 0 after the last one. */
async function numberPage(
  database: D1Database,
  { table, job }: (typeof tables)[number],
  bucketCount: number,
): Promise<number> {
  const stored = await readValue(database, job);
  const after: UserPosition =
    stored === null ? { application: "", userId: "" } : userPosition.parse(JSON.parse(stored));
  const { results } = await database
    .prepare(
      `SELECT DISTINCT application, user_id AS userId FROM ${table} WHERE (application, user_id) > (?1, ?2)
       ORDER BY application, user_id LIMIT ${usersPerPage}`,
    )
    .bind(after.application, after.userId)
    .all<UserPosition>();
  const last = results.at(-1);
  if (!last) return 0;
  const statements = [...Map.groupBy(results, ({ application }) => application)].map(([application, users]) =>
    insertNumbers(
      database,
      application,
      users.map(({ userId }) => {
        const bucket = bucketOf(application, userId, bucketCount);
        return { u: userId, b: bucket, ...numbersOf(bucket, bucketCount) };
      }),
      // Users that were erased meanwhile, and those whose bucket has left, get none.
      `EXISTS (SELECT 1 FROM ${table} t WHERE t.application = ?1 AND t.user_id = j.value ->> 'u')
       AND EXISTS (SELECT 1 FROM buckets b WHERE b.bucket = j.value ->> 'b' AND b.state IN ('owned', 'leaving'))`,
    ),
  );
  await database.batch([...statements, storeValue(database, job, JSON.stringify(last))]);
  return results.length;
}

/** Seconds after which users are numbered a second time: until then a deployment may still run an earlier version. */
const secondPassAfter = 86_400;
const firstPassName = "numbered at";
const secondPassName = "numbered again";

/** Begins the second pass over all users, if it is due. */
async function beginSecondPass(database: D1Database, now: number): Promise<void> {
  const first = await readValue(database, firstPassName);
  if (first === null) await storeValue(database, firstPassName, String(now)).run();
  else if (now - Number(first) > secondPassAfter && (await readValue(database, secondPassName)) === null)
    await database.batch([
      storeValue(database, secondPassName, String(now)),
      ...tables.map(({ job }) => deleteValue(database, job)),
    ]);
}

/**
 * Brings rows of earlier versions into their present form, up to `maxPages` pages. Returns whether the database has none
 * left. The positions stay at the end of the tables, so that a later call is short. `now` is in seconds.
 */
export async function prepareDatabase(
  database: D1Database,
  bucketCount: number,
  maxPages: number,
  now: number,
): Promise<boolean> {
  const numbers = (application: string, userId: string) =>
    numbersOf(bucketOf(application, userId, bucketCount), bucketCount);
  for (let page = 0; page < maxPages; page++) {
    if ((await moveOldPage(database, numbers)) > 0) continue;
    let numbered = 0;
    for (const table of tables) numbered += await numberPage(database, table, bucketCount);
    if (numbered > 0) continue;
    await beginSecondPass(database, now);
    return true;
  }
  return false;
}
