import type { OutboxRow, UserRows } from "../../../shared/contracts/queues.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";
import { logKey, logShardOf } from "../../../shared/training-log/keys.ts";
import { packLines } from "../../../shared/training-log/lines.ts";

/** A line of the training log. */
interface Line {
  /** Time of the event or impression, in seconds since the Unix epoch. */
  time: number;
  line: object;
}

/** Returns the log line of an outbox row, under the user's pseudonym; null for a row that the log does not hold. */
function lineOf({ pseudonym, generation }: UserRows, row: OutboxRow): Line | null {
  const { kind } = row;
  switch (kind) {
    case "interaction": {
      const { eventId, type, productId, time, recommendationId } = row.interaction;
      return {
        time,
        line: { kind, pseudonym, generation, eventId, type, productId, time, recommendationId },
      };
    }
    case "example":
      return { time: row.example.time, line: { kind, pseudonym, generation, ...row.example } };
    case "correction":
      return { time: row.correction.time, line: { kind, pseudonym, generation, ...row.correction } };
    case "counts":
      return null;
  }
}

/**
 * Writes outbox rows to the training log and returns the keys of the written objects. Each user shard gets one object
 * of gzipped JSON lines, under the UTC day of its newest line. One object per day would scatter history over many
 * objects. An object is named by the hash of its lines, so writing the same batch again overwrites the same objects.
 */
export async function writeTrainingLog(
  bucket: R2Bucket,
  application: string,
  users: readonly UserRows[],
): Promise<string[]> {
  const shards = new Map<number, Line[]>();
  for (const user of users) {
    const lines = user.rows.flatMap((row) => lineOf(user, row) ?? []);
    if (lines.length === 0) continue;
    const shard = logShardOf(user.pseudonym);
    shards.set(shard, [...(shards.get(shard) ?? []), ...lines]);
  }
  return Promise.all(
    [...shards].map(async ([shard, lines]) => {
      const newest = lines.reduce((max, { time }) => Math.max(max, time), 0);
      const day = new Date(newest * 1000).toISOString().slice(0, 10);
      const list = lines.map(({ line }) => line);
      const name = (await sha256OfText(JSON.stringify(list))).slice(0, 32);
      const key = logKey(application, day, shard, name);
      await bucket.put(key, await packLines(list));
      return key;
    }),
  );
}
