import { z } from "zod";
import { type Erased, isErased, unpacked, userOf } from "../../shared/training-log/lines.ts";

/** The part of a log line that a snapshot looks at. */
const line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("interaction"), pseudonym: z.string(), eventId: z.string(), type: z.string() }),
  z.object({
    kind: z.literal("example"),
    recommendationId: z.string(),
    rows: z.array(z.object({ outcome: z.string().nullable() })),
  }),
  z.object({
    kind: z.literal("correction"),
    recommendationId: z.string(),
    productId: z.string(),
    outcome: z.string(),
  }),
]);

/** What a day of the log holds, repeats dropped by identity, without anybody who was erased. */
export interface Snapshot {
  objects: number;
  interactions: number;
  examples: number;
  /** Rows of examples and corrections by outcome; `none` for those of which nothing came. */
  outcomes: Record<string, number>;
}

/** What a snapshot asks of the bucket that the log lies in. */
export interface LogBucket {
  list(options: {
    prefix: string;
    cursor?: string;
  }): Promise<{ objects: { key: string }[]; truncated: boolean; cursor?: string }>;
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

/** Says who of some people, by pseudonym, is erased. */
export type AskErased = (users: string[]) => Promise<Erased>;
const nobodyErased: AskErased = async () => new Map();

/** Reads all objects under a prefix of the training log; a line of an erased life is none, wherever it still lies. */
export async function snapshot(
  bucket: LogBucket,
  prefix: string,
  askErased: AskErased = nobodyErased,
): Promise<Snapshot> {
  const seen = new Set<string>();
  const result: Snapshot = { objects: 0, interactions: 0, examples: 0, outcomes: {} };
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
      const lines = await unpacked(await object.arrayBuffer());
      const erased = await askErased(userOf(lines));
      for (const each of lines.filter((held) => !isErased(held, erased))) {
        const parsed = line.parse(each);
        const identity =
          parsed.kind === "interaction"
            ? `${parsed.pseudonym}/${parsed.eventId}`
            : parsed.kind === "example"
              ? parsed.recommendationId
              : `${parsed.recommendationId}/${parsed.productId}`;
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
