import { bucketTables, changedRowsSql, deleteRowsSql, type MovedRow } from "./bucket-tables.ts";
import { isPresentSql, listsOf, nowSeconds, type Run, writesOf, writeToTarget } from "./move-run.ts";

/** Changes of a table that one step copies. */
const changesPerStep = 500;
/** Changes below which the rest is copied while writes wait. */
const fewChanges = 50;
/** Seconds for which writes wait at most while the last changes are copied. */
const lockSeconds = 0.8;

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
export async function switchOwner(run: Run, until: number): Promise<boolean> {
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
