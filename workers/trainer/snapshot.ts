import { z } from "zod";

/** The part of a log line that a snapshot looks at. */
const line = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("interaction"), person: z.string(), eventId: z.string(), type: z.string() }),
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

/** What a day of the log holds, repeats dropped by identity. */
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

/** Reads all objects under a prefix of the training log. */
export async function snapshot(bucket: LogBucket, prefix: string): Promise<Snapshot> {
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
      const packed = new Blob([await object.arrayBuffer()]).stream();
      const text = await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
      for (const each of text.split("\n")) {
        const parsed = line.parse(JSON.parse(each));
        const identity =
          parsed.kind === "interaction"
            ? `${parsed.person}/${parsed.eventId}`
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
