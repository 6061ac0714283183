import type { D1Database } from "@cloudflare/workers-types";
import { tableLines } from "../terminal/table.ts";

export const usage = `Usage: npm run users -- list
       npm run users -- move BUCKET DATABASE
       npm run users -- move FIRST-LAST DATABASE
BUCKET is a number from 0, DATABASE a binding of the user worker: DB, DB_1, DB_2, ...
--env NAME moves users of that environment in your Cloudflare account instead of the local state of npm start.`;

/** What `npm run users` shall do. */
export type UsersCommand = { do: "list" } | { do: "move"; first: number; last: number; database: string };

/** Parses the arguments of `npm run users` but its options. Throws if they are not a command. */
export function parseUsersCommand([verb, buckets, database, ...rest]: readonly string[]): UsersCommand {
  if (verb === "list" && buckets === undefined) return { do: "list" };
  if (verb !== "move" || buckets === undefined || database === undefined || rest.length > 0)
    throw new Error("There is no such command.");
  const numbers = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(buckets);
  if (!numbers)
    throw new Error(`"${buckets}" is no bucket. Write a number such as 17, or two such as 0-127.`);
  if (!/^DB(_\d+)?$/.test(database))
    throw new Error(`"${database}" is no binding of a database of users. They are named DB, DB_1, DB_2, ...`);
  const first = Number(numbers[1]);
  const last = Number(numbers[2] ?? numbers[1]);
  if (last < first) throw new Error(`The buckets "${buckets}" are in the wrong order.`);
  return { do: "move", first, last, database };
}

/**
 * Runs a command of `npm run users` on the first database of users, which holds the requested moves. The cron of the
 * gateway does the moves. `now` is in seconds since the Unix epoch. Returns lines to print.
 */
export async function runUsersCommand(
  command: UsersCommand,
  database: D1Database,
  now: number,
): Promise<string[]> {
  if (command.do === "move") {
    const { first, last } = command;
    await database
      .prepare(
        `WITH RECURSIVE wanted(bucket) AS (SELECT ? UNION ALL SELECT bucket + 1 FROM wanted WHERE bucket < ?)
         INSERT INTO bucket_moves (bucket, target, requested_at) SELECT bucket, ?, ? FROM wanted WHERE true
         ON CONFLICT DO UPDATE SET target = excluded.target, requested_at = excluded.requested_at, detail = 'waits',
           done_at = NULL`,
      )
      .bind(first, last, command.database, now)
      .run();
  }
  const { results } = await database
    .prepare(
      `SELECT bucket, target, detail, CAST(done_at AS INTEGER) AS done FROM bucket_moves
       ORDER BY done_at IS NOT NULL, requested_at, bucket LIMIT 300`,
    )
    .all<{ bucket: number; target: string; detail: string; done: number | null }>();
  if (results.length === 0) return ["No move of a bucket was asked for."];
  return tableLines([
    ["bucket", "to", "state", "done at"],
    ...results.map(({ bucket, target, detail, done }) => [
      String(bucket),
      target,
      detail,
      done === null ? "" : new Date(done * 1000).toISOString(),
    ]),
  ]);
}
