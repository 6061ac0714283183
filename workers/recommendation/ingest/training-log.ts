import type { OutboxRow, UserRows } from "../../../shared/contracts/queues.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";
import { logKey, logShardOf } from "../../../shared/training-log/keys.ts";
import { packed } from "../../../shared/training-log/lines.ts";

/** A line of the log, and when what it tells of happened. */
interface Line {
  time: number;
  line: object;
}

/** A row of an outbox as a line of the log, under its person's pseudonym; null for one that is none of the log's. */
function lineOf({ object: pseudonym, generation }: UserRows, row: OutboxRow): Line | null {
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
 * Writes rows of people to the training log: gzip of JSON lines, one object for each shard of people that is among them,
 * under the UTC day of the newest line (history spans many days and would else be scattered over as many objects). Its
 * name is the hash of its lines: the same batch again writes the same objects again. Answers their keys.
 */
export async function writeTrainingLog(
  bucket: R2Bucket,
  application: string,
  users: readonly UserRows[],
): Promise<string[]> {
  const shards = new Map<number, Line[]>();
  for (const user of users) {
    const added = user.rows.flatMap((row) => lineOf(user, row) ?? []);
    if (added.length === 0) continue;
    const shard = logShardOf(user.object);
    shards.set(shard, [...(shards.get(shard) ?? []), ...added]);
  }
  return Promise.all(
    [...shards].map(async ([shard, lines]) => {
      const newest = lines.reduce((most, { time }) => Math.max(most, time), 0);
      const day = new Date(newest * 1000).toISOString().slice(0, 10);
      const list = lines.map(({ line }) => line);
      const name = (await sha256OfText(JSON.stringify(list))).slice(0, 32);
      const key = logKey(application, day, shard, name);
      await bucket.put(key, await packed(list));
      return key;
    }),
  );
}
