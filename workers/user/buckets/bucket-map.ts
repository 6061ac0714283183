import { bucketCountOf, usualBucketCount } from "./user-buckets.ts";

/** Which database has which bucket, as an isolate knows it. It may be old: each batch checks it (`fence.ts`). */
export interface BucketMap {
  bucketCount: number;
  /** Index of the owner by bucket. */
  owners: Uint8Array;
}

type BucketState = "owned" | "leaving" | "arriving" | "gone";

/** What a database says about its buckets. */
interface DatabaseBuckets {
  rows: { bucket: number; state: BucketState; move: string | null }[];
  firstDatabases: number | null;
  hasUsers: boolean;
}

const firstDatabasesKey = "first_databases";

async function readBuckets(database: D1Database): Promise<DatabaseBuckets> {
  const [rows, decided, users] = await database.batch<unknown>([
    database.prepare("SELECT bucket, state, move FROM buckets ORDER BY bucket"),
    database.prepare("SELECT value FROM user_storage WHERE name = ?1").bind(firstDatabasesKey),
    database.prepare("SELECT EXISTS (SELECT 1 FROM users WHERE application > '') AS found"),
  ]);
  const value = (decided.results[0] as { value: string } | undefined)?.value;
  return {
    rows: rows.results as DatabaseBuckets["rows"],
    firstDatabases: value === undefined ? null : Number(value),
    hasUsers: (users.results[0] as { found: number }).found === 1,
  };
}

/**
 * Decides once, in the first database, over how many databases the users were spread by the rest of their hash before
 * there were buckets. Databases without users after the last one with users are new, and get buckets by moves. Returns
 * the number.
 */
async function decideFirstDatabases(
  databases: readonly D1Database[],
  known: readonly DatabaseBuckets[],
): Promise<number> {
  const used = known.findLastIndex(({ hasUsers }) => hasUsers) + 1;
  const [, { results }] = await databases[0].batch<{ value: string }>([
    databases[0]
      .prepare("INSERT INTO user_storage (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
      .bind(firstDatabasesKey, String(used || databases.length)),
    databases[0].prepare("SELECT value FROM user_storage WHERE name = ?1").bind(firstDatabasesKey),
  ]);
  return Number(results[0].value);
}

/** Makes the buckets of a database that has none yet. Buckets that it has stay as they are. */
const seedBuckets = (database: D1Database, index: number, databases: number): Promise<D1Result> =>
  database
    .prepare(
      `WITH RECURSIVE seeds(bucket) AS (
         SELECT ?1 UNION ALL SELECT bucket + ?2 FROM seeds WHERE bucket + ?2 < ?3)
       INSERT INTO buckets (bucket, state) SELECT bucket, 'owned' FROM seeds WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(index, databases, bucketCountOf(databases))
    .run();

/**
 * Ends a move whose mover stopped after the old owner had given the bucket away: the new owner has all rows, so that any
 * Worker may let it begin.
 */
const takeOver = (database: D1Database, bucket: number, move: string): Promise<D1Result> =>
  database
    .prepare("UPDATE buckets SET state = 'owned' WHERE bucket = ?1 AND state = 'arriving' AND move = ?2")
    .bind(bucket, move)
    .run();

/**
 * Reads which database has which bucket, from all databases. Makes the buckets if there are none yet, so that each user's
 * rows stay where they are. Throws if a bucket has no owner: then a database is not bound.
 */
export async function loadBucketMap(databases: readonly D1Database[]): Promise<BucketMap> {
  let known = await Promise.all(databases.map(readBuckets));
  const firstDatabases = known[0].firstDatabases ?? (await decideFirstDatabases(databases, known));
  const unseeded = databases
    .map((database, index) => ({ database, index }))
    .filter(
      ({ index }) => index < firstDatabases && !known[index].rows.some(({ bucket }) => bucket === index),
    );
  if (unseeded.length > 0) {
    await Promise.all(unseeded.map(({ database, index }) => seedBuckets(database, index, firstDatabases)));
    known = await Promise.all(databases.map(readBuckets));
  }
  const bucketCount = bucketCountOf(firstDatabases);
  const owners = new Int16Array(bucketCount).fill(-1);
  const gone = new Set<string>();
  known.forEach(({ rows }, index) => {
    for (const { bucket, state, move } of rows) {
      if (state === "owned" || state === "leaving") owners[bucket] = index;
      if (state === "gone") gone.add(`${bucket} ${move}`);
    }
  });
  for (const [index, { rows }] of known.entries())
    for (const { bucket, state, move } of rows)
      if (owners[bucket] < 0 && state === "arriving" && move !== null && gone.has(`${bucket} ${move}`)) {
        await takeOver(databases[index], bucket, move);
        owners[bucket] = index;
      }
  const missing = owners.indexOf(-1);
  if (missing >= 0)
    throw new Error(
      `no bound database owns bucket ${missing} of the users: bind every database that the user worker had (DB, DB_1, ...)`,
    );
  return { bucketCount, owners: Uint8Array.from(owners) };
}

/** Returns the map of a deployment with one database, which has all buckets. */
export const mapOfOneDatabase = (): BucketMap => ({
  bucketCount: usualBucketCount,
  owners: new Uint8Array(usualBucketCount),
});
