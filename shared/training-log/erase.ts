import { logRoot, mayHold } from "./keys.ts";
import { type Erased, isErased, packed, unpacked } from "./lines.ts";

/** What is asked of the bucket that the log lies in. */
export type LogBucket = Pick<R2Bucket, "list" | "get" | "put" | "delete">;

/** Objects that are read at the same time: what is in memory is bounded. */
const readAtOnce = 4;
/** Another erasure may rewrite the same object meanwhile; more often than this it will not. */
const maxAttempts = 20;

/** Takes the lines of erased people out of one object. Answers how many there were. */
export async function eraseFromObject(bucket: LogBucket, key: string, erased: Erased): Promise<number> {
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const object = await bucket.get(key);
    if (!object) return 0;
    const lines = await unpacked(await object.arrayBuffer());
    const kept = lines.filter((line) => !isErased(line, erased));
    const removed = lines.length - kept.length;
    if (removed === 0) return 0;
    if (kept.length === 0) {
      await bucket.delete(key);
      return removed;
    }
    const written = await bucket.put(key, await packed(kept), { onlyIf: { etagMatches: object.etag } });
    if (written !== null) return removed;
  }
  throw new Error("an object of the training log changed whenever it was rewritten");
}

/** One step through the log of an application for one person. */
export interface LogStep {
  application: string;
  pseudonym: string;
  /** The last key of the step before; null for the first. */
  after: string | null;
  /** Objects that are read at most. */
  most: number;
}

/** The next objects that may hold lines of a person, and where the step after goes on; null after the last. */
export async function objectsOf(
  bucket: LogBucket,
  { application, pseudonym, after, most }: LogStep,
): Promise<{ keys: string[]; next: string | null }> {
  const page = await bucket.list({ prefix: logRoot(application), startAfter: after ?? undefined });
  const keys = page.objects.map(({ key }) => key).filter((key) => mayHold(key, pseudonym));
  if (keys.length > most) return { keys: keys.slice(0, most), next: keys[most - 1] };
  return { keys, next: page.truncated ? (page.objects.at(-1)?.key ?? null) : null };
}

/** One step of taking a person out of the log. Every step may be repeated. */
export async function eraseFromLog(
  bucket: LogBucket,
  step: LogStep,
  generation: number,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await objectsOf(bucket, step);
  const erased: Erased = new Map([[step.pseudonym, generation]]);
  let removed = 0;
  for (let i = 0; i < keys.length; i += readAtOnce) {
    const part = keys.slice(i, i + readAtOnce);
    for (const each of await Promise.all(part.map((key) => eraseFromObject(bucket, key, erased))))
      removed += each;
  }
  return { removed, next };
}
