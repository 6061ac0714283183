import { mapConcurrent } from "../async/map-concurrent.ts";
import { isAllowedExample } from "../consent/allowed-rows.ts";
import type { ConsentLimits } from "../consent/consent-limits.ts";
import { retryAtRate } from "../r2/put-at-rate.ts";
import {
  type ErasedGenerations,
  isErasedLine,
  isExample,
  linePseudonym,
  packLines,
  unpackLines,
} from "./lines.ts";
import type { LogBucket } from "./log-bucket.ts";
import { type LogScan, scanUserObjects } from "./scan-user.ts";

/** Maximum number of objects that are rewritten at the same time, which bounds the memory of a step. */
const maxConcurrentRewrites = 4;
/** Maximum number of attempts to rewrite an object that concurrent erasures change. */
const maxRewrites = 20;

/**
 * Removes lines from one object. Returns the number of removed lines. An object without lines stays: a compaction must
 * find all objects that it reads, and deletes them.
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
    const { customMetadata } = object;
    const onlyIf = { etagMatches: object.etag };
    const packed = await packLines(kept);
    // Another job may have written it just before.
    const written = await retryAtRate(() => bucket.put(key, packed, { onlyIf, customMetadata }));
    if (written !== null) return removed;
  }
  throw new Error(
    `Training log object ${key} changed during each of ${maxRewrites} rewrites; retry the step.`,
  );
}

/** Removes the lines of erased users from one object. Returns the number of removed lines. */
export const eraseFromObject = (bucket: LogBucket, key: string, erased: ErasedGenerations): Promise<number> =>
  removeFromObject(bucket, key, (line) => isErasedLine(line, erased));

/** Removes lines from the objects of one step, which may be repeated. Returns the number of removed lines. */
async function removeFromLog(
  bucket: LogBucket,
  step: LogScan,
  isRemoved: (line: unknown) => boolean,
): Promise<{ removed: number; next: string | null }> {
  let removed = 0;
  const next = await scanUserObjects(bucket, step, "stored", (keys) =>
    mapConcurrent(maxConcurrentRewrites, keys, async (key) => {
      removed += await removeFromObject(bucket, key, isRemoved);
    }),
  );
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
