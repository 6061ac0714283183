import * as z from "zod";
import {
  type ErasedGenerations,
  isErasedLine,
  pseudonymsIn,
  unpackLines,
} from "../../shared/training-log/lines.ts";

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

/** Counts of a training log: repeated lines count once, lines of erased users not at all. */
export interface LogDayCounts {
  objects: number;
  interactions: number;
  examples: number;
  /** Rows of examples, and corrections, by outcome; `none` for rows without an outcome. */
  outcomes: Record<string, number>;
}

/** The methods of the training-log bucket that counting calls. */
export interface ReadableLogBucket {
  list(options: {
    prefix: string;
    cursor?: string;
  }): Promise<{ objects: { key: string }[]; truncated: boolean; cursor?: string }>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

/** Returns the last erased generation of each given pseudonym that is erased. */
export type FindErased = (pseudonyms: string[]) => Promise<ErasedGenerations>;
const noneErased: FindErased = async () => new Map();

/**
 * Returns the counts of all objects under a key prefix of the training log. Lines of an erased generation do not count.
 */
export async function countLogLines(
  bucket: ReadableLogBucket,
  prefix: string,
  findErased: FindErased = noneErased,
): Promise<LogDayCounts> {
  const seen = new Set<string>();
  const result: LogDayCounts = { objects: 0, interactions: 0, examples: 0, outcomes: {} };
  const count = (outcome: string | null): void => {
    const name = outcome ?? "none";
    result.outcomes[name] = (result.outcomes[name] ?? 0) + 1;
  };
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, cursor });
    for (const { key } of page.objects) {
      const object = await bucket.get(key);
      if (!object) continue;
      result.objects++;
      const lines = await unpackLines(await object.arrayBuffer());
      const erased = await findErased(pseudonymsIn(lines));
      for (const line of lines.filter((each) => !isErasedLine(each, erased))) {
        const parsed = logLine.parse(line);
        const identity =
          parsed.kind === "interaction"
            ? `${parsed.pseudonym}/${parsed.event}`
            : parsed.kind === "example"
              ? parsed.recommendation
              : `${parsed.recommendation}/${parsed.productId}`;
        if (seen.has(`${parsed.kind}/${identity}`)) continue;
        seen.add(`${parsed.kind}/${identity}`);
        if (parsed.kind === "interaction") result.interactions++;
        else if (parsed.kind === "correction") count(parsed.outcome);
        else {
          result.examples++;
          for (const { outcome } of parsed.rows) count(outcome);
        }
      }
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return result;
}
