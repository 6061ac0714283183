/** The log of an application lies under this. */
export const logRoot = (application: string): string => `${application}/log/v1/`;

/** Objects of one day (UTC, `2026-01-31`) of one application begin with this. */
export const logPrefix = (application: string, day: string): string => `${logRoot(application)}${day}/`;

/** People are spread over so many shards, so that an erasure reads one in so many objects. */
const shardCount = 8;

/** The shard of a person's lines. */
export const logShardOf = (pseudonym: string): number =>
  Number.parseInt(pseudonym.slice(0, 2), 16) % shardCount;

/** Key of an object; its name is a hash of its lines, so that the same lines again are the same object. */
export const logKey = (application: string, day: string, shard: number, name: string): string =>
  `${logPrefix(application, day)}${shard}/${name}.ndjson.gz`;

/** Whether an object may hold lines of a person. One that lies in no shard, as in an older log, may hold anybody's. */
export function mayHoldUser(key: string, pseudonym: string): boolean {
  const [shard, name] = key.split("/").slice(-2);
  return name === undefined || !/^\d$/.test(shard) || Number(shard) === logShardOf(pseudonym);
}
