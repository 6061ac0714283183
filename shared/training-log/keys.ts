import type { LogBucket } from "./log-bucket.ts";
import { batchFilterOf, batchMayContain } from "./user-filter.ts";

/** Returns the prefix of the keys of all batches of an application that are not compacted yet. */
export const batchRoot = (application: string): string => `${application}/log/v1/`;

/** Returns the prefix of the keys of the batches of one UTC day (`2026-01-31`). */
export const batchPrefix = (application: string, day: string): string => `${batchRoot(application)}${day}/`;

/**
 * Returns the key of the batch of some users. `name` is a hash of its lines, so that writing the same lines twice writes
 * the same object.
 */
export const batchKey = (application: string, day: string, users: Iterable<string>, name: string): string =>
  `${batchPrefix(application, day)}${batchFilterOf(users)}/${name}.ndjson.gz`;

/** Shards of the batches of older logs, whose keys have the user's shard in place of a filter. */
const olderShardCount = 8;

/** Returns whether a batch may hold lines of a user. Batches of the oldest logs have neither filter nor shard. */
export function mayHoldUser(key: string, pseudonym: string): boolean {
  const [part, name] = key.split("/").slice(-2);
  if (name === undefined) return true;
  if (/^[0-9a-f]{64}$/.test(part)) return batchMayContain(part, pseudonym);
  return !/^\d$/.test(part) || Number(part) === Number.parseInt(pseudonym.slice(0, 2), 16) % olderShardCount;
}

/** Returns the prefix of the keys of an application's compacted log. */
export const compactedRoot = (application: string): string => `${application}/log/v2/`;

/** Returns the prefix of the keys of one UTC day of an application's compacted log. */
export const compactedPrefix = (application: string, day: string): string =>
  `${compactedRoot(application)}${day}/`;

/** Returns the key of the manifest of a day. */
export const manifestKey = (application: string, day: string): string =>
  `${compactedPrefix(application, day)}manifest.json`;

/** Returns the key of the file with the lines of one shard of users, from 0, of a segment. */
export const fileKey = (application: string, day: string, segment: string, shard: number): string =>
  `${compactedPrefix(application, day)}${segment}/${shard.toString(16).padStart(3, "0")}.ndjson.gz`;

/** Returns the key of the list of batches that a segment was made of. It exists until they are deleted. */
export const inputsKey = (application: string, day: string, segment: string): string =>
  `${compactedPrefix(application, day)}${segment}/batches.json`;

/** Returns the UTC day of a time in seconds since the Unix epoch. */
export const logDayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;

/** Returns the days that have keys below a root, oldest first. */
async function daysBelow(bucket: Pick<LogBucket, "list">, root: string): Promise<string[]> {
  const days: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix: root, delimiter: "/", cursor });
    days.push(...page.delimitedPrefixes.map((prefix) => prefix.slice(root.length, -1)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return days.filter((day) => dayPattern.test(day)).sort();
}

/** Returns the days of an application's compacted log, oldest first. */
export const compactedDays = (bucket: Pick<LogBucket, "list">, application: string): Promise<string[]> =>
  daysBelow(bucket, compactedRoot(application));

/** Returns all days of an application's log, oldest first. */
export async function logDays(bucket: Pick<LogBucket, "list">, application: string): Promise<string[]> {
  const batches = await daysBelow(bucket, batchRoot(application));
  return [...new Set([...batches, ...(await compactedDays(bucket, application))])].sort();
}
