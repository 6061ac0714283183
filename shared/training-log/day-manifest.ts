import * as z from "zod";
import { inputsKey, manifestKey } from "./keys.ts";
import type { LogBucket } from "./log-bucket.ts";

/** Files that hold a part of a day's lines: one file for each of 2^`bits` shards of users, also if it is empty. */
const segment = z.object({
  id: z.string(),
  bits: z.number().int(),
  /** 0 for a segment made of batches; else one more than the highest level of the segments that it was made of. */
  level: z.number().int(),
  /** Lines and compressed bytes when the segment was written. Erasures remove lines afterwards. */
  lines: z.number().int(),
  bytes: z.number().int(),
});
export type Segment = z.infer<typeof segment>;

/** A segment that is being written, or whose inputs are being deleted. */
const segmentWork = z.object({
  segment,
  /** The segments that it replaces; null if it is made of batches. */
  inputs: z.array(segment).nullable(),
  /** `writing`: readers use the inputs. `written`: readers use the segment, and the inputs are being deleted. */
  state: z.enum(["writing", "written"]),
  /** Passes over the inputs: each writes the files of one of `passes` equal ranges of users. `next` is the next one. */
  passes: z.number().int(),
  next: z.number().int(),
  /** The run that writes, and until when no other may continue its work, in seconds since the Unix epoch. */
  holder: z.string(),
  heldUntil: z.number(),
});
export type SegmentWork = z.infer<typeof segmentWork>;

const dayManifest = z.object({ segments: z.array(segment), work: segmentWork.nullable() });

/** What the compacted log of one day consists of. */
export type DayManifest = z.infer<typeof dayManifest>;

/** A manifest as it is stored; `etag` is null if none is stored. */
export interface StoredManifest extends DayManifest {
  etag: string | null;
}

/** Returns the manifest of a day; an empty one if none is stored. */
export async function readManifest(
  bucket: Pick<LogBucket, "get">,
  application: string,
  day: string,
): Promise<StoredManifest> {
  const object = await bucket.get(manifestKey(application, day));
  if (!object) return { segments: [], work: null, etag: null };
  return { ...dayManifest.parse(JSON.parse(await object.text())), etag: object.etag };
}

/** Returns the manifest after it is stored in place of `earlier`; null if the stored one is another one. */
export async function replaceManifest(
  bucket: Pick<LogBucket, "put">,
  application: string,
  day: string,
  earlier: StoredManifest,
  { segments, work }: DayManifest,
): Promise<StoredManifest | null> {
  const onlyIf = earlier.etag === null ? { etagDoesNotMatch: "*" } : { etagMatches: earlier.etag };
  const body = JSON.stringify({ segments, work });
  const written = await bucket.put(manifestKey(application, day), body, { onlyIf });
  return written ? { segments, work, etag: written.etag } : null;
}

/** Returns the segments of a day that hold lines for good, and those that are being deleted. */
export const completeSegments = ({ segments, work }: DayManifest): Segment[] =>
  work?.state === "written" ? [...(work.inputs ?? []), ...segments] : segments;

/** Returns the segment of a day that is being written; none if there is no such segment. */
export const unfinishedSegments = ({ work }: DayManifest): Segment[] =>
  work?.state === "writing" ? [work.segment] : [];

/** Returns whether two lists name the same segments. */
export const areSameSegments = (a: readonly Segment[], b: readonly Segment[]): boolean =>
  a.length === b.length && a.every(({ id }, i) => id === b[i].id);

/**
 * Returns which of some batches of a day readers use: not those that are in a segment already and are being deleted.
 */
export async function unreplacedBatches(
  bucket: Pick<LogBucket, "get">,
  application: string,
  day: string,
  keys: readonly string[],
): Promise<string[]> {
  const { work } = await readManifest(bucket, application, day);
  if (work?.state !== "written" || work.inputs !== null) return [...keys];
  const object = await bucket.get(inputsKey(application, day, work.segment.id));
  const replaced = new Set(object ? z.array(z.string()).parse(JSON.parse(await object.text())) : []);
  return keys.filter((key) => !replaced.has(key));
}
