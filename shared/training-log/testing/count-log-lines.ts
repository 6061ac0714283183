import * as z from "zod";
import { lineIdentity } from "../lines.ts";
import type { LogBucket } from "../log-bucket.ts";
import { firstPosition, readLogPage } from "../read-log.ts";

/** The fields of a log line that the counts depend on. */
const logLine = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("interaction"), pseudonym: z.string(), event: z.string(), type: z.string() }),
  z.object({
    kind: z.literal("example"),
    recommendation: z.string(),
    rows: z.array(z.object({ outcome: z.string().nullable() })),
  }),
  z.object({
    kind: z.literal("correction"),
    recommendation: z.string(),
    productId: z.string(),
    outcome: z.string(),
  }),
]);

/** Counts of a training log, in which repeated lines count once. */
export interface LogDayCounts {
  objects: number;
  interactions: number;
  examples: number;
  /** Rows of examples, and corrections, by outcome; `none` for rows without an outcome. */
  outcomes: Record<string, number>;
}

/** Objects and bytes that are read before their lines are counted. */
const pageLimits = { objects: 500, bytes: 3_000_000 };

/** Returns the counts of some days of an application's training log. */
export async function countLogLines(
  bucket: Pick<LogBucket, "list" | "get">,
  application: string,
  days: readonly string[],
): Promise<LogDayCounts> {
  const seen = new Set<string>();
  const result: LogDayCounts = { objects: 0, interactions: 0, examples: 0, outcomes: {} };
  const count = (outcome: string | null): void => {
    const name = outcome ?? "none";
    result.outcomes[name] = (result.outcomes[name] ?? 0) + 1;
  };
  const query = { application, days };
  for (let position = firstPosition(query); position !== null; ) {
    const page = await readLogPage(bucket, query, position, pageLimits);
    result.objects += page.objects;
    for (const line of page.lines) {
      const parsed = logLine.parse(line);
      const identity = lineIdentity(parsed);
      if (seen.has(identity)) continue;
      seen.add(identity);
      if (parsed.kind === "interaction") result.interactions++;
      else if (parsed.kind === "correction") count(parsed.outcome);
      else {
        result.examples++;
        for (const { outcome } of parsed.rows) count(outcome);
      }
    }
    position = page.next;
  }
  return result;
}
