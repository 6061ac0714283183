import * as z from "zod";
import { expiredBeforeName, readValue, storeExpiredBefore } from "../job-positions.ts";
import {
  type BucketTable,
  bucketTables,
  changedRowsSql,
  clearBucketSql,
  createTriggersSql,
  deleteRowsSql,
  dropTriggersSql,
  type MovedRow,
  readColumnsSql,
  writeRowsSql,
} from "./bucket-tables.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { type NumberRange, numbersOf } from "./user-buckets.ts";
import type { UserDatabases } from "./user-databases.ts";

// A move copies a bucket's rows in pages while its old database serves it. Triggers store which rows change meanwhile,
// and their present content is copied again. When no change is left, the old owner gives the bucket away, in the
// transaction that finds no change. Then the new owner begins, and the old rows are deleted. The mover may stop after any
// call: everything that it knows is stored, and a later run continues.

/** Rows that one step copies, changes of a table that one step copies, and rows that one step deletes. */
const rowsPerPage = 1000;
const changesPerStep = 500;
const deletedRowsPerStep = 5000;
/** Bytes of a JSON parameter of a copy. D1 allows 2 MB. */
const maxListLength = 500_000;
/** Pages of rows of earlier versions that are brought into their present form before the next look at the clock. */
const preparedPages = 10;
/** Changes below which the rest is copied while writes wait. */
const fewChanges = 50;
/** Seconds for which writes wait at most while the last changes are copied. */
const lockSeconds = 0.8;
/** Value of the column `position` of a database that has nothing of a bucket that arrives or is gone. */
const emptied = "empty";

/** Thrown where a later run of the mover has taken over. */
export class MoveSuperseded extends Error {
  constructor() {
    super("another run of the mover has taken over the move");
  }
}

const copyPosition = z.object({
  /** Index of the table that is copied; the number of tables when all are. */
  table: z.number().int(),
  after: z.array(z.union([z.string(), z.number()])),
});
type CopyPosition = z.infer<typeof copyPosition>;

interface BucketRow {
  state: string;
  move: string | null;
  run: number;
  position: string | null;
}

/** One run of a move. */
interface Run {
  bucket: number;
  range: NumberRange;
  source: D1Database;
  target: D1Database;
  move: string;
  run: number;
}

/** How far a move is. `done`: the target owns the bucket, and no other database has rows of it. */
export interface MoveProgress {
  done: boolean;
  detail: string;
}

const readBucket = (database: D1Database, bucket: number): Promise<BucketRow | null> =>
  database
    .prepare("SELECT state, move, run, position FROM buckets WHERE bucket = ?1")
    .bind(bucket)
    .first<BucketRow>();

/** SQL condition: this run of the move is the present one, of a bucket in a state. */
const isPresentSql = ({ bucket, run }: Run, state: string): string =>
  `EXISTS (SELECT 1 FROM buckets b WHERE b.bucket = ${bucket} AND b.run = ${run} AND b.state = '${state}')`;

const nowSeconds = (): number => Date.now() / 1000;

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

/** Returns rows as JSON lists that D1 takes as parameters. */
function listsOf(rows: readonly unknown[]): string[] {
  const lists: string[] = [];
  let part: string[] = [];
  let length = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (part.length > 0 && length + text.length > maxListLength) {
      lists.push(`[${part.join(",")}]`);
      part = [];
      length = 0;
    }
    part.push(text);
    length += text.length;
  }
  if (part.length > 0) lists.push(`[${part.join(",")}]`);
  return lists;
}

/** Writes to the new database, unless a later run has taken over or the bucket is in use there. */
async function writeToTarget(run: Run, statements: readonly D1PreparedStatement[]): Promise<void> {
  if (statements.length === 0) return;
  const { target } = run;
  try {
    await target.batch([
      target.prepare(
        `INSERT INTO refused_writes (elsewhere) SELECT 1 WHERE NOT ${isPresentSql(run, "arriving")}`,
      ),
      ...statements,
    ]);
  } catch (error) {
    if (String(error).includes("bucket_is_elsewhere")) throw new MoveSuperseded();
    throw error;
  }
}

const writesOf = (
  database: D1Database,
  table: BucketTable,
  rows: readonly MovedRow[],
): D1PreparedStatement[] => listsOf(rows).map((list) => database.prepare(writeRowsSql(table)).bind(list));

/** Copies all rows page by page. Returns whether all are copied; false if `until` has passed. */
async function copyRows(run: Run, until: number): Promise<boolean> {
  const { bucket, range, source, target } = run;
  const stored = (await readBucket(source, bucket))?.position ?? null;
  let position: CopyPosition =
    stored === null ? { table: 0, after: [] } : copyPosition.parse(JSON.parse(stored));
  while (position.table < bucketTables.length) {
    if (nowSeconds() > until) return false;
    const table = bucketTables[position.table];
    const [after, next] = [position.after[0] ?? null, position.after[1] ?? null];
    const orderColumns =
      table.order.includes("number") && table.name !== "user_numbers" ? ", n.number AS number" : "";
    const parameters = [range.first, range.last, bucket, after, next];
    const used = [1, 2, 3, 4, 5].filter((n) => table.page.includes(`?${n}`));
    // SQLite numbers parameters without gaps, so that those that the table does not use are left out.
    const page = used.reduce((text, n, i) => text.replaceAll(`?${n}`, `?${i + 1}`), table.page);
    const { results } = await source
      .prepare(
        `SELECT ${readColumnsSql(table)}${orderColumns} ${page}
         ORDER BY ${table.order.map((name) => (name === "number" && orderColumns ? "n.number" : `t."${name}"`)).join(", ")}
         LIMIT ${rowsPerPage}`,
      )
      .bind(...used.map((n) => parameters[n - 1]))
      .all<MovedRow>();
    await writeToTarget(run, writesOf(target, table, results));
    const last = results.at(-1);
    position =
      last && results.length === rowsPerPage
        ? { table: position.table, after: table.order.map((name) => last[name] ?? "") }
        : { table: position.table + 1, after: [] };
    await source
      .prepare(`UPDATE buckets SET position = ?2 WHERE bucket = ?1 AND ${isPresentSql(run, "leaving")}`)
      .bind(bucket, JSON.stringify(position))
      .run();
  }
  return true;
}

/** Changes that were read: their numbers, and statements that bring the new database to the present content. */
interface ReadChanges {
  seqs: number[];
  statements: D1PreparedStatement[];
}

/** Reads the first changes of each table, after `before`, in one transaction. */
async function readChanges(
  { bucket, source, target }: Run,
  before: D1PreparedStatement[],
): Promise<ReadChanges> {
  const results = await source.batch<MovedRow>([
    ...before,
    ...bucketTables.map((table) => source.prepare(changedRowsSql(table)).bind(bucket, changesPerStep)),
    // A new number may follow its profile, for which no change is stored then.
    source
      .prepare(
        `SELECT ${bucketTables[1].columns.map((name) => `t."${name}"`).join(", ")}
         FROM (SELECT key FROM bucket_changes WHERE bucket = ?1 AND changed_table = 'user_numbers'
           ORDER BY seq LIMIT ?2) c
         CROSS JOIN user_numbers n ON n.number = c.key ->> 0
         CROSS JOIN users t ON t.application = n.application AND t.user_id = n.user_id`,
      )
      .bind(bucket, changesPerStep),
  ]);
  const seqs: number[] = [];
  const deletes: D1PreparedStatement[] = [];
  const writes: D1PreparedStatement[] = [];
  bucketTables.forEach((table, i) => {
    const rows = results[before.length + i].results;
    seqs.push(...rows.map(({ change }) => Number(change)));
    const gone = rows
      .filter(({ found }) => found === 0)
      .map((row) => Object.fromEntries(table.key.map((name, k) => [name, row[`key_${k}`]])));
    deletes.push(...listsOf(gone).map((list) => target.prepare(deleteRowsSql(table)).bind(list)));
    const present = rows
      .filter(({ found }) => found === 1)
      .map((row) => Object.fromEntries(table.columns.map((name) => [name, row[name]])));
    writes.push(...writesOf(target, table, present));
  });
  writes.push(...writesOf(target, bucketTables[1], results[before.length + bucketTables.length].results));
  return { seqs, statements: [...deletes, ...writes] };
}

/** Returns the statement that forgets changes that were copied. */
const forgetChanges = (run: Run, seqs: readonly number[]): D1PreparedStatement =>
  run.source
    .prepare(
      `DELETE FROM bucket_changes WHERE seq IN (SELECT value FROM json_each(?1)) AND ${isPresentSql(run, "leaving")}`,
    )
    .bind(JSON.stringify(seqs));

/**
 * Copies changes until none is left, and lets the new database own the bucket. The last changes are copied while writes
 * wait, for at most {@link lockSeconds}: if that does not suffice, they go on, and the mover tries again.
 */
async function switchOwner(run: Run, until: number): Promise<boolean> {
  const { bucket, source, target, move } = run;
  while (nowSeconds() <= until) {
    const changes = await readChanges(run, []);
    await writeToTarget(run, changes.statements);
    if (changes.seqs.length > 0) await forgetChanges(run, changes.seqs).run();
    if (changes.seqs.length > fewChanges) continue;
    const lock = source
      .prepare(`UPDATE buckets SET locked_until = ?2 WHERE bucket = ?1 AND ${isPresentSql(run, "leaving")}`)
      .bind(bucket, nowSeconds() + lockSeconds);
    const rest = await readChanges(run, [lock]);
    await writeToTarget(run, rest.statements);
    const results = await source.batch<{ changed: number }>([
      forgetChanges(run, rest.seqs),
      source
        .prepare(
          `UPDATE buckets SET state = 'gone', position = NULL WHERE bucket = ?1 AND ${isPresentSql(run, "leaving")}
           AND NOT EXISTS (SELECT 1 FROM bucket_changes c WHERE c.bucket = ?1)`,
        )
        .bind(bucket),
      source.prepare("SELECT changes() AS changed"),
      source
        .prepare(`UPDATE buckets SET locked_until = 0 WHERE bucket = ?1 AND run = ${run.run}`)
        .bind(bucket),
    ]);
    if (results[2].results[0].changed === 0) continue;
    // Any Worker does the same if the mover stops here: the bucket is gone, and arrives by the same move.
    await target
      .prepare("UPDATE buckets SET state = 'owned' WHERE bucket = ?1 AND state = 'arriving' AND move = ?2")
      .bind(bucket, move)
      .run();
    return true;
  }
  return false;
}
