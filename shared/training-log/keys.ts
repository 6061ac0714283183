/** Returns the prefix of the keys of an application's training log. */
export const logRoot = (application: string): string => `${application}/log/v1/`;

/** Returns the prefix of the keys of one UTC day (`2026-01-31`) of an application's training log. */
export const logPrefix = (application: string, day: string): string => `${logRoot(application)}${day}/`;

/** Number of shards over which users are spread. An erasure reads only the objects of one shard. */
const shardCount = 8;

/** Returns the shard of a user's lines, 0 to 7. */
export const logShardOf = (pseudonym: string): number =>
  Number.parseInt(pseudonym.slice(0, 2), 16) % shardCount;

/**
 * Returns the key of an object. `name` is a hash of the object's lines, so that writing the same lines twice writes the
 * same object.
 */
export const logKey = (application: string, day: string, shard: number, name: string): string =>
  `${logPrefix(application, day)}${shard}/${name}.ndjson.gz`;

/**
 * Returns whether an object may hold lines of a user: objects of the user's shard, and objects of older logs, whose
 * keys name no shard.
 */
export function mayHoldUser(key: string, pseudonym: string): boolean {
  const [shard, name] = key.split("/").slice(-2);
  return name === undefined || !/^\d$/.test(shard) || Number(shard) === logShardOf(pseudonym);
}
