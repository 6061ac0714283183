import { sha256Hex } from "../../model/onnx/manifest.ts";
import type { InteractionsMessage } from "../shared/contracts/queues.ts";

/** Objects of one day of one application begin with this. */
export const logPrefix = (application: string, day: string): string => `${application}/log/v1/${day}/`;

/** The day, UTC, of a time in seconds. */
const dayOf = (time: number): string => new Date(time * 1000).toISOString().slice(0, 10);

/** A line of the log: a row of an outbox under its person's pseudonym. */
function lineOf(object: string, row: InteractionsMessage["rows"][number]): { day: string; text: string } {
  switch (row.kind) {
    case "interaction": {
      const { eventId, type, productId, time, recommendationId } = row.interaction;
      return {
        day: dayOf(time),
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
        day: dayOf(row.example.time),
        text: JSON.stringify({ kind: row.kind, person: object, ...row.example }),
      };
    case "correction":
      return {
        day: dayOf(row.correction.time),
        text: JSON.stringify({ kind: row.kind, person: object, ...row.correction }),
      };
  }
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/**
 * Writes messages to the training log: gzip of JSON lines, one immutable object for each day that they touch. Its name is
 * the hash of its lines: the same batch again writes the same object again.
 */
export async function writeTrainingLog(
  bucket: R2Bucket,
  application: string,
  messages: readonly InteractionsMessage[],
): Promise<void> {
  const days = new Map<string, string[]>();
  for (const { object, rows } of messages)
    for (const row of rows) {
      const { day, text } = lineOf(object, row);
      const lines = days.get(day) ?? [];
      days.set(day, lines);
      lines.push(text);
    }
  await Promise.all(
    [...days].map(async ([day, lines]) => {
      const text = lines.join("\n");
      const name = (await sha256Hex(new Uint8Array(new TextEncoder().encode(text)))).slice(0, 32);
      await bucket.put(`${logPrefix(application, day)}${name}.ndjson.gz`, await gzip(text));
    }),
  );
}
