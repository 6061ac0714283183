import type { OutboxRow, PersonRows } from "../shared/contracts/queues.ts";
import { sha256OfText } from "../shared/hash/sha256.ts";

/** Objects of one day of one application begin with this. */
export const logPrefix = (application: string, day: string): string => `${application}/log/v1/${day}/`;

/** A line of the log: a row of an outbox under its person's pseudonym, and when it happened. */
function lineOf(object: string, row: OutboxRow): { time: number; text: string } {
  switch (row.kind) {
    case "interaction": {
      const { eventId, type, productId, time, recommendationId } = row.interaction;
      return {
        time,
        text: JSON.stringify({
          kind: row.kind,
          person: object,
          eventId,
          type,
          productId,
          time,
          recommendationId,
        }),
      };
    }
    case "example":
      return {
        time: row.example.time,
        text: JSON.stringify({ kind: row.kind, person: object, ...row.example }),
      };
    case "correction":
      return {
        time: row.correction.time,
        text: JSON.stringify({ kind: row.kind, person: object, ...row.correction }),
      };
  }
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/**
 * Writes rows of people to the training log as one immutable object: gzip of JSON lines, under the UTC day of the newest of
 * them (history spans many days and would else be scattered over as many objects). Its name is the hash of its lines:
 * the same batch again writes the same object again.
 */
export async function writeTrainingLog(
  bucket: R2Bucket,
  application: string,
  people: readonly PersonRows[],
): Promise<void> {
  const lines = people.flatMap(({ object, rows }) => rows.map((row) => lineOf(object, row)));
  if (lines.length === 0) return;
  const newest = lines.reduce((most, { time }) => Math.max(most, time), 0);
  const day = new Date(newest * 1000).toISOString().slice(0, 10);
  const text = lines.map((line) => line.text).join("\n");
  const name = (await sha256OfText(text)).slice(0, 32);
  await bucket.put(`${logPrefix(application, day)}${name}.ndjson.gz`, await gzip(text));
}
