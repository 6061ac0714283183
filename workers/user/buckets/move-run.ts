import { type BucketTable, type MovedRow, writeRowsSql } from "./bucket-tables.ts";
import type { NumberRange } from "./user-buckets.ts";

/** Bytes of a JSON parameter of a copy. D1 allows 2 MB. */
const maxListLength = 500_000;

/** Thrown where a later run of the mover has taken over. */
export class MoveSuperseded extends Error {
  constructor() {
    super("another run of the mover has taken over the move");
  }
}

/** What a database has of a bucket in its table `buckets`. */
export interface BucketRow {
  state: string;
  move: string | null;
  run: number;
  position: string | null;
}

/** One run of a move. */
export interface Run {
  bucket: number;
  range: NumberRange;
  source: D1Database;
  target: D1Database;
  move: string;
  run: number;
}

/** Returns what a database has of a bucket; null if nothing. */
export const readBucket = (database: D1Database, bucket: number): Promise<BucketRow | null> =>
  database
    .prepare("SELECT state, move, run, position FROM buckets WHERE bucket = ?1")
    .bind(bucket)
    .first<BucketRow>();

/** SQL condition: this run of the move is the present one, of a bucket in a state. */
export const isPresentSql = ({ bucket, run }: Run, state: string): string =>
  `EXISTS (SELECT 1 FROM buckets b WHERE b.bucket = ${bucket} AND b.run = ${run} AND b.state = '${state}')`;

/** Returns the time in seconds since epoch. */
export const nowSeconds = (): number => Date.now() / 1000;

/** Returns rows as JSON lists that D1 takes as parameters. */
export function listsOf(rows: readonly unknown[]): string[] {
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
export async function writeToTarget(run: Run, statements: readonly D1PreparedStatement[]): Promise<void> {
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

/** Returns the statements that write rows to a table of the new database. */
export const writesOf = (
  database: D1Database,
  table: BucketTable,
  rows: readonly MovedRow[],
): D1PreparedStatement[] => listsOf(rows).map((list) => database.prepare(writeRowsSql(table)).bind(list));
