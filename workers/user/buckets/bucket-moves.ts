import { errorText } from "../../../shared/errors/error-text.ts";
import type { MovedBuckets } from "../../../shared/services/user-api.ts";
import { type MoveProgress, moveBucket } from "./move-bucket.ts";
import { MoveSuperseded } from "./move-run.ts";
import { prepareDatabase } from "./prepare-database.ts";
import type { UserDatabases } from "./user-databases.ts";

/** Pages of rows of earlier versions that one call brings into their present form in each database. */
const preparedPages = 20;

interface RequestedMove {
  bucket: number;
  target: string;
}

/**
 * Continues the moves that an operator asked for, in the order of their requests, for about `seconds`. A move that fails
 * stays and is tried again by the next call; its row says why. Brings rows of earlier versions into their present form
 * too. `names` are the bindings of the databases. `now` returns the time in seconds.
 */
export async function advanceMoves(
  databases: UserDatabases,
  names: readonly string[],
  seconds: number,
  now: () => number,
): Promise<MovedBuckets> {
  const { bucketCount } = await databases.map();
  const until = now() + seconds;
  const first = databases.all[0];
  const { results } = await first
    .prepare("SELECT bucket, target FROM bucket_moves WHERE done_at IS NULL ORDER BY requested_at, bucket")
    .all<RequestedMove>();
  let done = 0;
  for (const { bucket, target } of results) {
    const progress = await moveOne(databases, bucket, { target, index: names.indexOf(target) }, until);
    await first
      .prepare("UPDATE bucket_moves SET detail = ?3, done_at = ?4 WHERE bucket = ?1 AND target = ?2")
      .bind(bucket, target, progress.detail, progress.done ? now() : null)
      .run();
    if (progress.done) done++;
    if (now() > until) break;
  }
  for (const database of databases.all) await prepareDatabase(database, bucketCount, preparedPages, now());
  return { done, waiting: results.length - done };
}

async function moveOne(
  databases: UserDatabases,
  bucket: number,
  { target, index }: { target: string; index: number },
  until: number,
): Promise<MoveProgress> {
  if (index < 0)
    return {
      done: false,
      detail: `waits: the user worker has no binding ${target}; deploy it with this database first`,
    };
  try {
    return await moveBucket(databases, bucket, index, until);
  } catch (error) {
    if (error instanceof MoveSuperseded) return { done: false, detail: "goes on in another run" };
    return { done: false, detail: `failed, and is tried again: ${errorText(error)}` };
  }
}
