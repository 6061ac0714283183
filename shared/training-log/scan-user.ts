import { mapConcurrent } from "../async/map-concurrent.ts";
import {
  areSameSegments,
  completeSegments,
  type DayManifest,
  readManifest,
  type Segment,
  unfinishedSegments,
  unreplacedBatches,
} from "./day-manifest.ts";
import { batchRoot, compactedDays, fileKey, mayHoldUser } from "./keys.ts";
import type { LogBucket } from "./log-bucket.ts";
import { mayContain, shardOf } from "./user-filter.ts";

/** Calls of the bucket at the same time. */
const maxConcurrent = 6;
/** A day is scanned this often if compactions replace its segments meanwhile. */
const maxScans = 5;
/** Calls of the bucket per object of the step's limit, after which a step ends. */
const callsPerObject = 2;
/** Begins the positions of a scan that has reached the compacted log; keys begin with an application. */
const dayMark = "day:";

/** One step of a scan over the training log of an application for the lines of one user. */
export interface LogScan {
  application: string;
  /** The user's name in the log. */
  pseudonym: string;
  /** The `next` of the previous step; null for the first step. */
  after: string | null;
  /** Maximum number of batches that the step reads. It ends after about twice as many calls of the bucket. */
  limit: number;
}

/**
 * Calls `visit` with the keys of the objects of one step that may hold lines of a user: first the batches, then the
 * files of one day after the other. Returns the position of the next step; null after the last one.
 *
 * `stored` visits all that is stored, also what a compaction is writing or deleting. A day whose segments a compaction
 * replaces meanwhile is visited again, so that no line is missed. `read` visits what readers use.
 */
export async function scanUserObjects(
  bucket: Pick<LogBucket, "list" | "get" | "head">,
  { application, pseudonym, after, limit }: LogScan,
  mode: "stored" | "read",
  visit: (keys: string[]) => Promise<void>,
): Promise<string | null> {
  if (after?.startsWith(dayMark) !== true) {
    const page = await bucket.list({ prefix: batchRoot(application), startAfter: after ?? undefined });
    const keys = page.objects.map(({ key }) => key).filter((key) => mayHoldUser(key, pseudonym));
    const visited = keys.slice(0, limit);
    await visit(mode === "read" ? await inUse(bucket, application, visited) : visited);
    if (keys.length > limit) return keys[limit - 1];
    const last = page.objects.at(-1);
    return page.truncated && last ? last.key : dayMark;
  }
  const days = (await compactedDays(bucket, application)).filter((day) => day > after.slice(dayMark.length));
  let calls = 0;
  for (const day of days) {
    calls += await scanDay(bucket, { application, pseudonym, day }, mode, visit);
    if (calls >= limit * callsPerObject && day !== days.at(-1)) return `${dayMark}${day}`;
  }
  return null;
}

/** Returns the batches that readers use. */
async function inUse(bucket: Pick<LogBucket, "get">, application: string, keys: string[]): Promise<string[]> {
  const dayOf = (key: string): string => key.slice(batchRoot(application).length).split("/")[0];
  const used: string[] = [];
  for (const [day, group] of Map.groupBy(keys, dayOf))
    used.push(...(await unreplacedBatches(bucket, application, day, group)));
  return used;
}

/** Visits the files of a day that may hold lines of a user. Returns the number of calls of the bucket, about. */
async function scanDay(
  bucket: Pick<LogBucket, "get" | "head">,
  { application, pseudonym, day }: { application: string; pseudonym: string; day: string },
  mode: "stored" | "read",
  visit: (keys: string[]) => Promise<void>,
): Promise<number> {
  let calls = 1;
  const visitSegments = async (segments: readonly Segment[]): Promise<void> => {
    const found: string[] = [];
    await mapConcurrent(maxConcurrent, segments, async ({ id, bits }) => {
      const key = fileKey(application, day, id, shardOf(pseudonym, bits));
      const file = await bucket.head(key);
      if (file && mayContain(file.customMetadata?.users, pseudonym)) found.push(key);
    });
    await visit(found);
    calls += segments.length + callsPerObject * found.length;
  };
  const segmentsOf = (manifest: DayManifest): Segment[] =>
    mode === "read" ? manifest.segments : [...completeSegments(manifest), ...unfinishedSegments(manifest)];
  let manifest = await readManifest(bucket, application, day);
  for (let scans = 1; scans <= maxScans; scans++) {
    if (mode === "read") await visitSegments(manifest.segments);
    else {
      await visitSegments(completeSegments(manifest));
      // Its inputs come first: what is removed from them is not written again afterwards.
      await visitSegments(unfinishedSegments(manifest));
    }
    const later = await readManifest(bucket, application, day);
    calls++;
    if (areSameSegments(segmentsOf(manifest), segmentsOf(later))) return calls;
    manifest = later;
  }
  throw new Error(
    `The training log of ${day} was compacted during each of ${maxScans} scans; retry the step.`,
  );
}
