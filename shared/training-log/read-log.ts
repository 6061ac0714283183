import { mapConcurrent } from "../async/map-concurrent.ts";
import { unwrap } from "../contracts/result.ts";
import type { UserApi } from "../services/user-api.ts";
import { daySeconds } from "../time/seconds.ts";
import { areSameSegments, readManifest, type Segment } from "./day-manifest.ts";
import { batchPrefix, fileKey } from "./keys.ts";
import { isErasedLine, pseudonymsIn, unpackTexts } from "./lines.ts";
import type { LogBucket, LogObject } from "./log-bucket.ts";
import { shardsInRange } from "./plan-segments.ts";
import { shardOf } from "./user-filter.ts";

/** Objects that are read at the same time. */
const maxConcurrent = 6;
/** Keys that one page lists. */
const maxListed = 1000;
/** A range is read this often if compactions replace its segments meanwhile. */
const maxReads = 5;
/** Names that one call of the user service takes. */
const maxNames = 10_000;

/** Bounds of one page of the log. */
export interface PageLimits {
  objects: number;
  /** Compressed bytes. */
  bytes: number;
}

/** Where a page of the log begins: a day, and in it a batch, or one of `ranges` equal ranges of its users. */
export type LogPosition =
  | { day: string; phase: "batches"; after: string | null }
  | { day: string; phase: "files"; range: number; ranges: number };

/** A page of the log. */
export interface LogPage {
  lines: unknown[];
  /** Objects and lines that could not be read. */
  damaged: number;
  objects: number;
  bytes: number;
  /** Where the next page begins; null after the last one. */
  next: LogPosition | null;
}

/** What is read of the log. */
export interface LogQuery {
  application: string;
  /** The days to read, in this order. */
  days: readonly string[];
  /** Returns whether a line is needed, by its JSON text. Others are not parsed. */
  isNeeded?: (text: string) => boolean;
}

/** Returns the position of the first page. */
export const firstPosition = ({ days }: Pick<LogQuery, "days">): LogPosition | null =>
  days.length === 0 ? null : { day: days[0], phase: "batches", after: null };

/** Returns whether a line, as JSON text, is one that training uses: an example or a correction. */
export const isTrainingLine = (text: string): boolean => !text.startsWith('{"kind":"interaction"');

/** Collects the lines of a page. */
class PageBuilder {
  readonly #bucket: Pick<LogBucket, "get">;
  readonly #query: LogQuery;
  lines: unknown[] = [];
  damaged = 0;
  objects = 0;
  bytes = 0;

  constructor(bucket: Pick<LogBucket, "get">, query: LogQuery) {
    this.#bucket = bucket;
    this.#query = query;
  }

  /** Adds the lines of objects that pass a test by user. Objects that do not exist any more have none. */
  async add(keys: readonly string[], isIncluded: (pseudonym: string) => boolean): Promise<void> {
    await mapConcurrent(maxConcurrent, keys, async (key) => {
      const object = await this.#bucket.get(key);
      if (!object) return;
      this.objects++;
      const bytes = await object.arrayBuffer();
      this.bytes += bytes.byteLength;
      const texts = await unpackTexts(bytes).catch(() => null);
      if (texts === null) this.damaged++;
      for (const text of texts ?? []) this.#addText(text, isIncluded);
    });
  }

  #addText(text: string, isIncluded: (pseudonym: string) => boolean): void {
    if (this.#query.isNeeded?.(text) === false) return;
    try {
      const line: { pseudonym?: unknown } = JSON.parse(text);
      if (typeof line.pseudonym !== "string") this.damaged++;
      else if (isIncluded(line.pseudonym)) this.lines.push(line);
    } catch {
      this.damaged++;
    }
  }
}

/**
 * Returns the next lines of the log from `from` on, within the limits: of each day first what is not compacted, then the
 * files. A line that a compaction moves meanwhile, or that a consumer wrote twice, may be read twice: readers drop
 * repeats by identity. No line is missed.
 */
export async function readLogPage(
  bucket: Pick<LogBucket, "list" | "get">,
  query: LogQuery,
  from: LogPosition | null,
  limits: PageLimits,
): Promise<LogPage> {
  const page = new PageBuilder(bucket, query);
  const { application, days } = query;
  let listed = 0;
  let position = from;
  const nextDay = (day: string): LogPosition | null => {
    const following = days[days.indexOf(day) + 1];
    return following === undefined ? null : { day: following, phase: "batches", after: null };
  };
  const isFull = (): boolean =>
    page.objects >= limits.objects || page.bytes >= limits.bytes || listed >= maxListed;
  while (position !== null && !isFull()) {
    const { day } = position;
    if (position.phase === "batches") {
      const found = await bucket.list({
        prefix: batchPrefix(application, day),
        startAfter: position.after ?? undefined,
        limit: Math.min(maxListed - listed, limits.objects - page.objects),
      });
      listed += found.objects.length;
      const keys = keysWithin(found.objects, limits.bytes - page.bytes);
      await page.add(keys, () => true);
      const isLast = keys.length === found.objects.length && !found.truncated;
      position = isLast
        ? { day, phase: "files", range: 0, ranges: 0 }
        : { day, phase: "batches", after: keys.at(-1) ?? null };
      continue;
    }
    const { segments } = await readManifest(bucket, application, day);
    const ranges = position.ranges || rangesFor(segments, limits);
    const { range }: { range: number } = position;
    if (segments.length > 0) {
      const size = sizeOfRange(segments, ranges);
      const isEmpty = page.objects === 0;
      const fits = page.objects + size.files <= limits.objects && page.bytes + size.bytes <= limits.bytes;
      if (!isEmpty && !fits) {
        position = { day, phase: "files", range, ranges };
        break;
      }
      await addRange(bucket, page, { application, day, range, ranges });
    }
    position =
      segments.length > 0 && range + 1 < ranges
        ? { day, phase: "files", range: range + 1, ranges }
        : nextDay(day);
  }
  const { lines, damaged, objects, bytes } = page;
  return { lines, damaged, objects, bytes, next: position };
}

/**
 * Returns lines of users spread evenly over the first day of a query, within the limits, of which batches and files have
 * half each.
 */
export async function readSpreadPage(
  bucket: Pick<LogBucket, "list" | "get">,
  query: LogQuery,
  limits: PageLimits,
): Promise<LogPage> {
  const page = new PageBuilder(bucket, query);
  const { application } = query;
  const [day] = query.days;
  const half = { objects: limits.objects / 2, bytes: limits.bytes / 2 };
  const { objects } = await bucket.list({ prefix: batchPrefix(application, day), limit: maxListed });
  const bytes = objects.reduce((sum, { size }) => sum + size, 0);
  const share = Math.min(1, half.objects / objects.length, half.bytes / bytes);
  const isChosen = (i: number): boolean => Math.floor((i + 1) * share) > Math.floor(i * share);
  await page.add(
    objects.filter((_, i) => isChosen(i)).map(({ key }) => key),
    () => true,
  );
  const { segments } = await readManifest(bucket, application, day);
  if (segments.length > 0) {
    const ranges = rangesFor(segments, limits);
    // Another part of the users on each day.
    const range = (Date.parse(day) / (daySeconds * 1000)) % ranges;
    await addRange(bucket, page, { application, day, range, ranges });
  }
  return { lines: page.lines, damaged: page.damaged, objects: page.objects, bytes: page.bytes, next: null };
}

/** Returns the keys of the first objects with `bytes` bytes, at least one. */
function keysWithin(objects: readonly LogObject[], bytes: number): string[] {
  const keys: string[] = [];
  let sum = 0;
  for (const { key, size } of objects) {
    sum += size;
    if (keys.length > 0 && sum > bytes) break;
    keys.push(key);
  }
  return keys;
}

/** Returns the mean size of one of `ranges` ranges of the users of segments. */
const sizeOfRange = (segments: readonly Segment[], ranges: number): { files: number; bytes: number } => ({
  files: segments.reduce((sum, { bits }) => sum + Math.max(1, 2 ** bits / ranges), 0),
  bytes: segments.reduce((sum, { bits, bytes }) => sum + bytes / Math.min(ranges, 2 ** bits), 0),
});

/** Returns the number of ranges, a power of two, in which half a page holds a range. */
function rangesFor(segments: readonly Segment[], limits: PageLimits): number {
  const maxRanges = segments.reduce((max, { bits }) => Math.max(max, 2 ** bits), 1);
  let ranges = 1;
  for (; ranges < maxRanges; ranges *= 2) {
    const { files, bytes } = sizeOfRange(segments, ranges);
    if (files <= limits.objects / 2 && bytes <= limits.bytes / 2) break;
  }
  return ranges;
}

/** Adds the lines of a range of users, and those of the segments that replaced others meanwhile. */
async function addRange(
  bucket: Pick<LogBucket, "get">,
  page: PageBuilder,
  { application, day, range, ranges }: { application: string; day: string; range: number; ranges: number },
): Promise<void> {
  let manifest = await readManifest(bucket, application, day);
  const isInRange = (pseudonym: string): boolean => shardOf(pseudonym, Math.log2(ranges)) === range;
  for (let reads = 1; reads <= maxReads; reads++) {
    const keys = manifest.segments.flatMap((segment) =>
      shardsInRange(segment, range, ranges).map((shard) => fileKey(application, day, segment.id, shard)),
    );
    await page.add(keys, isInRange);
    const later = await readManifest(bucket, application, day);
    if (areSameSegments(manifest.segments, later.segments)) return;
    manifest = later;
  }
  throw new Error(
    `The training log of ${day} was compacted during each of ${maxReads} reads; retry the step.`,
  );
}

/**
 * Returns lines without those of erased users, by one call for every 10,000 users. Throws if the user worker cannot
 * return the tombstones.
 */
export async function withoutErased(
  user: Pick<UserApi, "findTombstones">,
  application: string,
  lines: readonly unknown[],
): Promise<unknown[]> {
  const names = pseudonymsIn(lines);
  const erased = new Map<string, number>();
  for (let at = 0; at < names.length; at += maxNames) {
    const tombstones = unwrap(
      await user.findTombstones(application, names.slice(at, at + maxNames)),
      "the user service",
    );
    for (const { pseudonym, generation } of tombstones) erased.set(pseudonym, generation);
  }
  return erased.size === 0 ? [...lines] : lines.filter((line) => !isErasedLine(line, erased));
}
