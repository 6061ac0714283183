import { isAllowedExample } from "../consent/allowed-rows.ts";
import type { ConsentLimits } from "../consent/consent-limits.ts";
import { logRoot, mayHoldUser } from "./keys.ts";
import {
  type ErasedGenerations,
  isErasedLine,
  isExample,
  linePseudonym,
  packLines,
  unpackLines,
} from "./lines.ts";

/** The methods of an R2 bucket that the training log uses. */
export type LogBucket = Pick<R2Bucket, "list" | "get" | "put" | "delete">;

/** Maximum number of objects that are read at the same time, which bounds the memory of a step. */
const maxConcurrentReads = 4;
/** Maximum number of attempts to rewrite an object that concurrent erasures change. */
const maxRewrites = 20;

/**
 * Removes lines from one object, and deletes the object if no line is left. Returns the number of removed lines.
 */
async function removeFromObject(
  bucket: LogBucket,
  key: string,
  isRemoved: (line: unknown) => boolean,
): Promise<number> {
  for (let attempt = 0; attempt < maxRewrites; attempt++) {
    const object = await bucket.get(key);
    if (!object) return 0;
    const lines = await unpackLines(await object.arrayBuffer());
    const kept = lines.filter((line) => !isRemoved(line));
    const removed = lines.length - kept.length;
    if (removed === 0) return 0;
    if (kept.length === 0) {
      await bucket.delete(key);
      return removed;
    }
    const written = await bucket.put(key, await packLines(kept), { onlyIf: { etagMatches: object.etag } });
    if (written !== null) return removed;
  }
  throw new Error(
    `Training log object ${key} changed during each of ${maxRewrites} rewrites; retry the step.`,
  );
}

/** Removes the lines of erased users from one object. Returns the number of removed lines. */
export const eraseFromObject = (bucket: LogBucket, key: string, erased: ErasedGenerations): Promise<number> =>
  removeFromObject(bucket, key, (line) => isErasedLine(line, erased));

/** One step of a scan over the training log of an application for the lines of one user. */
export interface LogScan {
  application: string;
  /** The user's name in the log. */
  pseudonym: string;
  /** The `next` of the previous step; null for the first step. */
  after: string | null;
  /** Maximum number of objects that the step reads. */
  limit: number;
}

/** Returns the keys of the next objects that may hold lines of a user. `next` is null after the last step. */
export async function scanLog(
  bucket: LogBucket,
  { application, pseudonym, after, limit }: LogScan,
): Promise<{ keys: string[]; next: string | null }> {
  const page = await bucket.list({ prefix: logRoot(application), startAfter: after ?? undefined });
  const keys = page.objects.map(({ key }) => key).filter((key) => mayHoldUser(key, pseudonym));
  if (keys.length > limit) return { keys: keys.slice(0, limit), next: keys[limit - 1] };
  return { keys, next: page.truncated ? (page.objects.at(-1)?.key ?? null) : null };
}

/**
 * Removes lines from the objects of one step, which may be repeated. Returns the number of removed lines.
 */
async function removeFromLog(
  bucket: LogBucket,
  step: LogScan,
  isRemoved: (line: unknown) => boolean,
): Promise<{ removed: number; next: string | null }> {
  const { keys, next } = await scanLog(bucket, step);
  let removed = 0;
  for (let i = 0; i < keys.length; i += maxConcurrentReads) {
    const part = keys.slice(i, i + maxConcurrentReads);
    for (const each of await Promise.all(part.map((key) => removeFromObject(bucket, key, isRemoved))))
      removed += each;
  }
  return { removed, next };
}

/**
 * Removes a user's lines, up to a generation, from the objects of one step, which may be repeated. Returns the number
 * of removed lines.
 */
export function eraseFromLog(
  bucket: LogBucket,
  step: LogScan,
  generation: number,
): Promise<{ removed: number; next: string | null }> {
  const erased: ErasedGenerations = new Map([[step.pseudonym, generation]]);
  return removeFromLog(bucket, step, (line) => isErasedLine(line, erased));
}

/**
 * Removes a user's training examples that the user's consent does not allow any more. The step may be repeated. Returns
 * the number of removed lines.
 */
export const removeFinerExamples = (
  bucket: LogBucket,
  step: LogScan,
  limits: ConsentLimits,
): Promise<{ removed: number; next: string | null }> =>
  removeFromLog(
    bucket,
    step,
    (line) => linePseudonym(line) === step.pseudonym && isExample(line) && !isAllowedExample(limits, line),
  );
