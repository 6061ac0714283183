import * as z from "zod";
import { bucketTables, type MovedRow, readColumnsSql } from "./bucket-tables.ts";
import { isPresentSql, nowSeconds, type Run, readBucket, writesOf, writeToTarget } from "./move-run.ts";

/** Rows that one step copies. */
const rowsPerPage = 1000;

const copyPosition = z.object({
  /** Index of the table that is copied; the number of tables when all are. */
  table: z.number().int(),
  after: z.array(z.union([z.string(), z.number()])),
});
type CopyPosition = z.infer<typeof copyPosition>;

/** Copies all rows page by page. Returns whether all are copied; false if `until` has passed. */
export async function copyRows(run: Run, until: number): Promise<boolean> {
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
