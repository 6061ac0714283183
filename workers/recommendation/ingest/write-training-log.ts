import type { OutboxRow, UserRows } from "../../../shared/contracts/queues.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";
import { logEventOf, logPseudonymOf, logRecommendationOf } from "../../../shared/pseudonyms/hashed-names.ts";
import type { PseudonymKeys } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { batchKey, logDayOf } from "../../../shared/training-log/keys.ts";
import { packLines } from "../../../shared/training-log/lines.ts";
import type { LogBucket } from "../../../shared/training-log/log-bucket.ts";

/** A line of the training log. */
interface Line {
  /** Time of the event or impression, in seconds since the Unix epoch. */
  time: number;
  line: object;
}

/**
 * Names users, recommendations and events of an application in its log. Rows of one batch often name the same
 * recommendation, so each is hashed once.
 */
class LogNames {
  readonly #keys: PseudonymKeys;
  readonly #application: string;
  readonly #recommendations = new Map<string, Promise<string>>();

  constructor(keys: PseudonymKeys, application: string) {
    this.#keys = keys;
    this.#application = application;
  }

  user(pseudonym: string): Promise<string> {
    return logPseudonymOf(this.#keys, pseudonym);
  }

  event(pseudonym: string, eventId: string): Promise<string> {
    return logEventOf(this.#keys, pseudonym, eventId);
  }

  recommendation(id: string): Promise<string> {
    const name = this.#recommendations.get(id) ?? logRecommendationOf(this.#keys, this.#application, id);
    this.#recommendations.set(id, name);
    return name;
  }
}

/** Returns the log line of an outbox row, under the log's names; null for a row that the log does not hold. */
async function lineOf(
  names: LogNames,
  { pseudonym: objectId, generation }: UserRows,
  pseudonym: string,
  row: OutboxRow,
): Promise<Line | null> {
  const { kind } = row;
  const owner = { kind, pseudonym, generation };
  switch (kind) {
    case "interaction": {
      const { eventId, type, productId, time, recommendationId, value, quantity } = row.interaction;
      const event = await names.event(objectId, eventId);
      const recommendation = recommendationId && (await names.recommendation(recommendationId));
      const worth = { ...(value ? { value } : {}), ...(quantity === undefined ? {} : { quantity }) };
      return { time, line: { ...owner, event, type, productId, time, recommendation, ...worth } };
    }
    case "example": {
      const { recommendationId, ...example } = row.example;
      const recommendation = await names.recommendation(recommendationId);
      return { time: example.time, line: { ...owner, recommendation, ...example } };
    }
    case "correction": {
      const { recommendationId, ...correction } = row.correction;
      const recommendation = await names.recommendation(recommendationId);
      return { time: correction.time, line: { ...owner, recommendation, ...correction } };
    }
    case "counts":
      return null;
  }
}

/**
 * Writes outbox rows to the training log as one batch: an object of gzipped JSON lines under the UTC day of its newest
 * line. Returns the key; null if the rows have no line. The object is named by the hash of its lines, so writing the
 * same rows again overwrites the same object.
 */
export async function writeTrainingLog(
  bucket: Pick<LogBucket, "put">,
  keys: PseudonymKeys,
  application: string,
  users: readonly UserRows[],
): Promise<string | null> {
  const names = new LogNames(keys, application);
  const pseudonyms = new Set<string>();
  const lines: Line[] = [];
  for (const user of users) {
    const pseudonym = await names.user(user.pseudonym);
    const rows = await Promise.all(user.rows.map((row) => lineOf(names, user, pseudonym, row)));
    const found = rows.filter((line) => line !== null);
    if (found.length > 0) pseudonyms.add(pseudonym);
    lines.push(...found);
  }
  if (lines.length === 0) return null;
  const newest = lines.reduce((max, { time }) => Math.max(max, time), 0);
  const list = lines.map(({ line }) => line);
  const name = (await sha256OfText(JSON.stringify(list))).slice(0, 32);
  const key = batchKey(application, logDayOf(newest), pseudonyms, name);
  await bucket.put(key, await packLines(list));
  return key;
}
