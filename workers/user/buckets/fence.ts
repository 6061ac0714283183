// A statement of the fence is the first of a batch, and a batch is one transaction. So a Worker that knows an old place of
// a bucket neither writes there nor believes what it reads there.

/** Why a batch was refused: another database has the bucket, its move ends just now, or rows must move to a new table. */
export type FenceRefusal = "elsewhere" | "locked" | "old";

const constraints: Record<string, FenceRefusal> = {
  bucket_is_elsewhere: "elsewhere",
  bucket_is_locked: "locked",
  interactions_are_old: "old",
};

/** The users of a batch, and their buckets. */
export interface FencedUsers {
  application: string;
  userIds: readonly string[];
  buckets: readonly number[];
}

/** Thrown where the fence refuses a batch of which nothing was done. */
export class RefusedByFence extends Error {
  readonly reason: FenceRefusal;

  constructor(reason: FenceRefusal) {
    super(`the fence of the user databases refused a batch: ${reason}`);
    this.reason = reason;
  }
}

/** SQL expression: 1 if this database does not own one of the buckets in a list. */
const elsewhereSql = (buckets: string): string => `EXISTS (
  SELECT 1 FROM json_each(${buckets}) j LEFT JOIN buckets b ON b.bucket = j.value
  WHERE coalesce(b.state, 'gone') NOT IN ('owned', 'leaving'))`;

/** SQL expression: 1 if one of the users in a list has interactions in the table of earlier versions. */
const oldSql = (application: string, userIds: string): string => `EXISTS (
  SELECT 1 FROM json_each(${userIds}) j CROSS JOIN interactions o
    ON o.application = ${application} AND o.user_id = j.value)`;

/** Returns the first statement of a batch that writes. It fails, and the batch with it, if the batch must not run here. */
export const writeFence = (
  database: D1Database,
  { application, userIds, buckets }: FencedUsers,
  now: number,
): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO refused_writes (elsewhere, locked, old)
       SELECT elsewhere, locked, old FROM (
         SELECT nullif(${elsewhereSql("?1")}, 0) AS elsewhere,
           nullif(EXISTS (SELECT 1 FROM json_each(?1) j CROSS JOIN buckets b ON b.bucket = j.value
             WHERE b.locked_until > ?2), 0) AS locked,
           nullif(${oldSql("?3", "?4")}, 0) AS old)
       WHERE elsewhere OR locked OR old`,
    )
    .bind(JSON.stringify(buckets), now, application, JSON.stringify(userIds));

/** Returns the first statement of a batch that reads. {@link checkReadFence} looks at its result. */
export const readFence = (
  database: D1Database,
  { application, userIds, buckets }: FencedUsers,
): D1PreparedStatement =>
  database
    .prepare(`SELECT ${elsewhereSql("?1")} AS elsewhere, ${oldSql("?2", "?3")} AS old`)
    .bind(JSON.stringify(buckets), application, JSON.stringify(userIds));

/** Throws a {@link RefusedByFence} if the result of {@link readFence} says that the batch was read at the wrong place. */
export function checkReadFence(result: D1Result<unknown>): void {
  const { elsewhere, old } = (result as D1Result<{ elsewhere: number; old: number }>).results[0];
  if (elsewhere) throw new RefusedByFence("elsewhere");
  if (old) throw new RefusedByFence("old");
}

/** Returns what an error of a batch says about the fence; the error itself if it says nothing. */
export function fenceErrorOf(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error);
  for (const [constraint, reason] of Object.entries(constraints))
    if (message.includes(constraint)) return new RefusedByFence(reason);
  return error;
}
