import { expiredBeforeName, readValue, storeExpiredBefore } from "../job-positions.ts";
import { clearBucketSql, createTriggersSql, dropTriggersSql } from "./bucket-tables.ts";
import { copyRows } from "./copy-rows.ts";
import { isPresentSql, MoveSuperseded, nowSeconds, type Run, readBucket } from "./move-run.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { switchOwner } from "./switch-owner.ts";
import { type NumberRange, numbersOf } from "./user-buckets.ts";
import type { UserDatabases } from "./user-databases.ts";

// A move copies a bucket's rows in pages while its old database serves it. Triggers store which rows change meanwhile,
// and their present content is copied again. When no change is left, the old owner gives the bucket away, in the
// transaction that finds no change. Then the new owner begins, and the old rows are deleted. The mover may stop after any
// call: everything that it knows is stored, and a later run continues.

/** Rows that one step deletes. */
const deletedRowsPerStep = 5000;
/** Pages of rows of earlier versions that are brought into their present form before the next look at the clock. */
const preparedPages = 10;
/** Value of the column `position` of a database that has nothing of a bucket that arrives or is gone. */
const emptied = "empty";

/** How far a move is. `done`: the target owns the bucket, and no other database has rows of it. */
export interface MoveProgress {
  done: boolean;
  detail: string;
}

/**
 * Moves a bucket to another database, until it is done or the time `until` (in seconds) has passed. Another call
 * continues. Returns how far it is. Throws if the database does not answer, or another run has taken over.
 */
export async function moveBucket(
  databases: UserDatabases,
  bucket: number,
  targetIndex: number,
  until: number,
): Promise<MoveProgress> {
  const { bucketCount, owners } = await databases.reloadMap();
  if (bucket >= bucketCount)
    return { done: true, detail: `refused: buckets have the numbers 0 to ${bucketCount - 1}` };
  const target = databases.all[targetIndex];
  const source = databases.all[owners[bucket]];
  const range = numbersOf(bucket, bucketCount);
  if (source === target) await cancelMove(target, bucket);
  // A move to another database that was not finished ends here. What it has copied is deleted below.
  for (const database of databases.all)
    if (database !== target)
      await database
        .prepare(
          "UPDATE buckets SET state = 'gone', position = NULL WHERE bucket = ?1 AND state = 'arriving'",
        )
        .bind(bucket)
        .run();
  if (source !== target) {
    while (!(await prepareDatabase(source, bucketCount, preparedPages, nowSeconds())))
      if (nowSeconds() > until)
        return { done: false, detail: "brings rows of earlier versions into their new form" };
    const run = await beginRun(bucket, range, source, target);
    if (!(await copyRows(run, until))) return { done: false, detail: "copies rows" };
    if (!(await switchOwner(run, until))) return { done: false, detail: "copies changes" };
    await databases.reloadMap();
  }
  for (const database of databases.all)
    if (database !== target && !(await clearBucket(database, bucket, range, until)))
      return { done: false, detail: "deletes the rows of the old database" };
  return { done: true, detail: "done" };
}

/** Lets a database keep a bucket that was about to leave it. */
async function cancelMove(database: D1Database, bucket: number): Promise<void> {
  if ((await readBucket(database, bucket))?.state !== "leaving") return;
  await database.batch([
    ...dropTriggersSql(bucket).map((text) => database.prepare(text)),
    database
      .prepare(
        `UPDATE buckets SET state = 'owned', run = run + 1, locked_until = 0, position = NULL
         WHERE bucket = ?1 AND state = 'leaving'`,
      )
      .bind(bucket),
    database.prepare("DELETE FROM bucket_changes WHERE bucket = ?1").bind(bucket),
  ]);
}

/** Begins a move, or a further run of it: from then on, an earlier run changes nothing. */
async function beginRun(
  bucket: number,
  range: NumberRange,
  source: D1Database,
  target: D1Database,
): Promise<Run> {
  const arriving = await readBucket(target, bucket);
  const leaving = await readBucket(source, bucket);
  // A leaving bucket with another target goes on from the start.
  const continues =
    leaving?.state === "leaving" && arriving?.state === "arriving" && leaving.move === arriving.move;
  const move = continues && leaving.move !== null ? leaving.move : crypto.randomUUID();
  const results = await source.batch<{ run: number }>([
    source
      .prepare(
        `DELETE FROM bucket_changes WHERE bucket = ?1
         AND EXISTS (SELECT 1 FROM buckets b WHERE b.bucket = ?1 AND b.state = 'owned')`,
      )
      .bind(bucket),
    ...createTriggersSql(bucket, range).map((text) => source.prepare(text)),
    source
      .prepare(
        `UPDATE buckets SET state = 'leaving', run = run + 1, locked_until = 0,
           position = iif(move IS ?2, position, NULL), move = ?2
         WHERE bucket = ?1 AND state IN ('owned', 'leaving') RETURNING run`,
      )
      .bind(bucket, move),
  ]);
  const run = results[results.length - 1].results[0]?.run;
  if (run === undefined) throw new MoveSuperseded();
  await target
    .prepare(
      `INSERT INTO buckets (bucket, state, move, run) VALUES (?1, 'arriving', ?2, ?3)
       ON CONFLICT DO UPDATE SET state = 'arriving', run = excluded.run,
         position = iif(move IS excluded.move, position, NULL), move = excluded.move
       WHERE state IN ('gone', 'arriving')`,
    )
    .bind(bucket, move, run)
    .run();
  const present: Run = { bucket, range, source, target, move, run };
  await emptyTarget(present);
  // A recount in the new database must know of which hours interactions are missing.
  const expiredBefore = await readValue(source, expiredBeforeName);
  if (expiredBefore !== null) await storeExpiredBefore(target, Number(expiredBefore)).run();
  return present;
}

/** Deletes what an earlier move may have left in the new database. */
async function emptyTarget(run: Run): Promise<void> {
  const { target, bucket, range } = run;
  if ((await readBucket(target, bucket))?.position === emptied) return;
  await deleteRows(target, range, isPresentSql(run, "arriving"));
  await target
    .prepare(
      `UPDATE buckets SET position = '${emptied}' WHERE bucket = ?1 AND ${isPresentSql(run, "arriving")}`,
    )
    .bind(bucket)
    .run();
}

/** Deletes the rows of a bucket while an SQL condition holds, until none is left or `until` has passed. */
async function deleteRows(
  database: D1Database,
  { first, last }: NumberRange,
  condition: string,
  until = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  for (;;) {
    const results = await database.batch<{ changed: number }>(
      clearBucketSql.flatMap((text) => [
        database.prepare(`${text} AND ${condition}`).bind(first, last, deletedRowsPerStep),
        database.prepare("SELECT changes() AS changed"),
      ]),
    );
    if (results.every((result, i) => i % 2 === 0 || result.results[0].changed === 0)) return true;
    if (nowSeconds() > until) return false;
  }
}

/** Deletes what a database that gave a bucket away still has of it. Returns whether nothing is left. */
async function clearBucket(
  database: D1Database,
  bucket: number,
  range: NumberRange,
  until: number,
): Promise<boolean> {
  const row = await readBucket(database, bucket);
  if (row?.state !== "gone" || row.position === emptied) return true;
  await database.batch(dropTriggersSql(bucket).map((text) => database.prepare(text)));
  const isGone = `EXISTS (SELECT 1 FROM buckets b WHERE b.bucket = ${bucket} AND b.state = 'gone')`;
  if (!(await deleteRows(database, range, isGone, until))) return false;
  await database.batch([
    database.prepare(`DELETE FROM bucket_changes WHERE bucket = ?1 AND ${isGone}`).bind(bucket),
    database
      .prepare(`UPDATE buckets SET position = '${emptied}' WHERE bucket = ?1 AND state = 'gone'`)
      .bind(bucket),
  ]);
  return true;
}
