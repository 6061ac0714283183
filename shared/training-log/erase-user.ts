import { logRoot, mayHoldUser } from "./keys.ts";
import { type ErasedGenerations, isErasedLine, packLines, unpackLines } from "./lines.ts";

/** What is asked of the bucket that the log lies in. */
export type LogBucket = Pick<R2Bucket, "list" | "get" | "put" | "delete">;

/** Objects that are read at the same time: what is in memory is bounded. */
const maxConcurrentReads = 4;
/** Another erasure may rewrite the same object meanwhile; more often than this it will not. */
const maxRewrites = 20;

/** Takes the lines of erased people out of one object. Answers how many there were. */
export async function eraseFromObject(
  bucket: LogBucket,
  key: string,
  erased: ErasedGenerations,
): Promise<number> {
  for (let attempt = 0; attempt < maxRewrites; attempt++) {
    const object = await bucket.get(key);
    if (!object) return 0;
    const lines = await unpackLines(await object.arrayBuffer());
    const kept = lines.filter((line) => !isErasedLine(line, erased));
    const removed = lines.length - kept.length;
    if (removed === 0) return 0;
    if (kept.length === 0) {
      await bucket.delete(key);
      return removed;
    }
    const written = await bucket.put(key, await packLines(kept), { onlyIf: { etagMatches: object.etag } });
    if (written !== null) return removed;
  }
  throw new Error("an object of the training log changed whenever it was rewritten");
}

/** One step through the log of an application for one person. */
export interface LogScan {
  application: string;
  pseudonym: string;
  /** The last key of the step before; null for the first. */
  after: string | null;
  /** Objects that are read at most. */
  limit: number;
}

/** The next objects that may hold lines of a person, and where the step after goes on; null after the last. */
export async function scanLog(
  bucket: LogBucket,
  { application, pseudonym, after, limit }: LogScan,
): Promise<{ keys: string[]; next: string | null }> {
  const page = await bucket.list({ prefix: logRoot(application), startAfter: after ?? undefined });
  const keys = page.objects.map(({ key }) => key).filter((key) => mayHoldUser(key, pseudonym));
  if (keys.length > limit) return { keys: keys.slice(0, limit), next: keys[limit - 1] };
  return { keys, next: page.truncated ? (page.objects.at(-1)?.key ?? null) : null };
}

/** One step of taking a person out of the log. Every step may be repeated. */
export async function eraseFromLog(
  bucket: LogBucket,
  step: LogScan,
  generation: number,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await scanLog(bucket, step);
  const erased: ErasedGenerations = new Map([[step.pseudonym, generation]]);
  let removed = 0;
  for (let i = 0; i < keys.length; i += maxConcurrentReads) {
    const part = keys.slice(i, i + maxConcurrentReads);
    for (const each of await Promise.all(part.map((key) => eraseFromObject(bucket, key, erased))))
      removed += each;
  }
  return { removed, next };
}
