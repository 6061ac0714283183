import {
  type DayManifest,
  readManifest,
  type Segment,
  type SegmentWork,
  type StoredManifest,
} from "./day-manifest.ts";
import { batchRoot, compactedDays, fileKey, inputsKey, logDayOf } from "./keys.ts";
import type { LogBucket, LogObject } from "./log-bucket.ts";
import { type Clock, ManifestWriter, OtherRunError, platformClock } from "./manifest-writer.ts";
import {
  bitsOfBatches,
  bitsOfMerged,
  type CompactionLimits,
  defaultLimits,
  passesFor,
  segmentsToMerge,
  shardsInRange,
} from "./plan-segments.ts";
import { SegmentFiles } from "./segment-files.ts";

/** A batch is compacted this long after it was written: a queue consumer runs for at most 15 minutes. */
const minAgeSeconds = 1200;
/** The batches of a day are due when the oldest one is this old, or when there are this many or as large. */
const dueAgeSeconds = 3600;
const dueBatches = 200;
const dueBytes = 1_000_000;
/** Keys that one call of `list` returns, and that one call of `delete` takes. */
const maxKeys = 1000;
/** Pages of batches in which one run looks for due ones. */
const maxPages = 10;
/** Seconds after which another run may continue the work of a run that was killed. */
const holdSeconds = 900;

/** What one run of a compaction did. */
export interface CompactionReport {
  /** Batches that became part of a segment. */
  batches: number;
  /** Segments that were written. */
  segments: number;
  /** Lines, and whole objects, that could not be read. No segment has them. */
  damaged: number;
}

/**
 * Compacts the training log of an application, by bounded steps. A segment is written file by file, then the day's
 * manifest names it in place of its inputs, then the inputs are deleted. Each step may be repeated: a run that is killed
 * loses nothing, and the next run continues where it was.
 */
export class LogCompaction {
  readonly #bucket: LogBucket;
  readonly #application: string;
  readonly #clock: Clock;
  readonly #limits: CompactionLimits;
  readonly #manifests: ManifestWriter;
  readonly #files: SegmentFiles;
  /** Names this run in the manifests of the days that it works on. */
  readonly #holder = crypto.randomUUID();
  /** Days whose manifests this run has not looked at. */
  #days: string[] | null = null;
  /** The day that this run works on. */
  #current: string | null = null;
  #after: string | undefined;
  #pages = 0;
  /** Batches that became part of a segment, and segments that were written. */
  #batches = 0;
  #segments = 0;

  constructor(
    bucket: LogBucket,
    application: string,
    clock: Clock = platformClock,
    limits: CompactionLimits = defaultLimits,
  ) {
    this.#bucket = bucket;
    this.#application = application;
    this.#clock = clock;
    this.#limits = limits;
    this.#manifests = new ManifestWriter(bucket, application, clock);
    this.#files = new SegmentFiles(bucket, application, clock);
  }

  /** What this run did. */
  get report(): CompactionReport {
    return { batches: this.#batches, segments: this.#segments, damaged: this.#files.damaged };
  }

  /** Runs one step: at most one pass. Returns false if nothing is due. */
  async step(): Promise<boolean> {
    if (this.#current !== null) {
      if (await this.#advance(this.#current)) return true;
      this.#current = null;
    }
    const due = await this.#dueBatches();
    if (due !== null) {
      this.#current = due.day;
      if (await this.#advance(due.day, due.batches)) return true;
      // Another run works on the day.
      this.#current = null;
    }
    if (this.#pages < maxPages && this.#after !== undefined) return true;
    this.#days ??= await this.#daysToCheck();
    const day = this.#days.pop();
    if (day === undefined) return false;
    if (await this.#advance(day)) this.#current = day;
    return true;
  }

  /** Lets another run continue at once. Call it at the end of a run. */
  async release(): Promise<void> {
    const day = this.#current;
    if (day === null) return;
    const stored = await readManifest(this.#bucket, this.#application, day);
    const { work, segments } = stored;
    if (work?.holder !== this.#holder || work.state !== "writing") return;
    await this.#manifests.replace(day, stored, { segments, work: { ...work, heldUntil: 0 } });
  }

  /** Returns the batches of a day that are due: at most as many as one segment is made of. Null if none are. */
  async #dueBatches(): Promise<{ day: string; batches: LogObject[] } | null> {
    if (this.#pages >= maxPages) return null;
    const root = batchRoot(this.#application);
    const page = await this.#bucket.list({ prefix: root, startAfter: this.#after, limit: maxKeys });
    const now = this.#clock.now();
    const age = ({ uploaded }: LogObject): number => now - uploaded.getTime() / 1000;
    const ready = page.objects.filter((each) => age(each) >= minAgeSeconds);
    for (const [day, group] of Map.groupBy(ready, ({ key }) => key.slice(root.length).split("/")[0])) {
      const bytes = group.reduce((sum, { size }) => sum + size, 0);
      const isDue =
        group.length >= dueBatches || bytes >= dueBytes || group.some((each) => age(each) >= dueAgeSeconds);
      if (!isDue) continue;
      const batches: LogObject[] = [];
      let size = 0;
      for (const each of group) {
        size += each.size;
        if (
          batches.length >= this.#limits.batches ||
          (batches.length > 0 && size > this.#limits.bytesPerPass)
        )
          break;
        batches.push(each);
      }
      return { day, batches };
    }
    this.#pages++;
    this.#after = page.truncated ? page.objects.at(-1)?.key : undefined;
    if (this.#after === undefined) this.#pages = maxPages;
    return null;
  }

  /**
   * Returns the days whose manifests this run looks at, besides those with due batches: the newest ones, and an older
   * one, so that all are looked at in turn.
   */
  async #daysToCheck(): Promise<string[]> {
    const days = await compactedDays(this.#bucket, this.#application);
    const now = this.#clock.now();
    const newest = [0, 1, 2].map((ago) => logDayOf(now - ago * 86_400)).filter((day) => days.includes(day));
    const other = days[Math.floor(now / 60) % Math.max(1, days.length)];
    return [...new Set(other === undefined ? newest : [other, ...newest])];
  }

  /** Does the next work of a day, which may begin with batches. Returns false if there is none, or another run has it. */
  async #advance(day: string, batches: LogObject[] = []): Promise<boolean> {
    try {
      const stored = await readManifest(this.#bucket, this.#application, day);
      const { work } = stored;
      if (work?.state === "written") return await this.#deleteInputs(day, stored, work);
      if (work !== null) {
        const held = await this.#hold(day, stored, work);
        return held !== null && (await this.#runPass(day, held.stored, held.work));
      }
      if (batches.length > 0) return await this.#beginFromBatches(day, stored, batches);
      const inputs = segmentsToMerge(stored, day, this.#clock.now());
      return inputs !== null && (await this.#beginMerge(day, stored, inputs));
    } catch (error) {
      if (error instanceof OtherRunError) return false;
      throw error;
    }
  }

  #workOn(segment: Segment, inputs: Segment[] | null, passes: number): SegmentWork {
    return {
      ...{ segment, inputs, passes, state: "writing", next: 0 },
      ...{ holder: this.#holder, heldUntil: this.#clock.now() + holdSeconds },
    };
  }

  async #beginFromBatches(day: string, stored: StoredManifest, batches: LogObject[]): Promise<boolean> {
    const bits = bitsOfBatches(batches.reduce((sum, { size }) => sum + size, 0));
    const segment = { id: crypto.randomUUID(), bits, level: 0, lines: 0, bytes: 0 };
    const work = this.#workOn(segment, null, 1);
    // The manifest names the segment first, so that an erasure finds all that is written for it.
    const next = await this.#manifests.replace(day, stored, { segments: stored.segments, work });
    const keys = batches.map(({ key }) => key);
    await this.#bucket.put(inputsKey(this.#application, day, segment.id), JSON.stringify(keys));
    return this.#runPass(day, next, work);
  }

  async #beginMerge(day: string, stored: StoredManifest, inputs: Segment[]): Promise<boolean> {
    const bits = bitsOfMerged(inputs, day, this.#clock.now());
    const level = 1 + inputs.reduce((max, each) => Math.max(max, each.level), 0);
    const segment = { id: crypto.randomUUID(), bits, level, lines: 0, bytes: 0 };
    const work = this.#workOn(segment, inputs, passesFor(inputs, bits, this.#limits));
    const next = await this.#manifests.replace(day, stored, { segments: stored.segments, work });
    return this.#runPass(day, next, work);
  }

  /** Takes over work that no other run holds. Returns null if another one holds it. */
  async #hold(
    day: string,
    stored: StoredManifest,
    work: SegmentWork,
  ): Promise<{ stored: StoredManifest; work: SegmentWork } | null> {
    if (work.holder === this.#holder) return { stored, work };
    if (work.heldUntil > this.#clock.now()) return null;
    const held = { ...work, holder: this.#holder, heldUntil: this.#clock.now() + holdSeconds };
    return {
      stored: await this.#manifests.replace(day, stored, { segments: stored.segments, work: held }),
      work: held,
    };
  }

  /** Returns the keys of the batches that a segment is made of; null if their list was not written. */
  async #batchKeys(day: string, segment: string): Promise<string[] | null> {
    const object = await this.#bucket.get(inputsKey(this.#application, day, segment));
    return object ? JSON.parse(await object.text()) : null;
  }

  /** Writes the files of the next range of users, and lets the manifest name the segment after the last one. */
  async #runPass(day: string, stored: StoredManifest, work: SegmentWork): Promise<boolean> {
    const { segment, inputs, next: range, passes } = work;
    const keys =
      inputs === null
        ? await this.#batchKeys(day, segment.id)
        : inputs.flatMap((each) =>
            shardsInRange(each, range, passes).map((shard) =>
              fileKey(this.#application, day, each.id, shard),
            ),
          );
    if (keys === null) {
      // The run ended before it had written anything of the segment.
      await this.#manifests.replace(day, stored, { segments: stored.segments, work: null });
      return true;
    }
    const written = await this.#files.writeRange(day, segment, keys, range, passes);
    const grown = {
      ...segment,
      lines: segment.lines + written.lines,
      bytes: segment.bytes + written.bytes,
    };
    const advanced: SegmentWork = {
      ...work,
      segment: grown,
      next: range + 1,
      heldUntil: this.#clock.now() + holdSeconds,
    };
    if (advanced.next < passes) {
      await this.#manifests.replace(day, stored, { segments: stored.segments, work: advanced });
      return true;
    }
    const replaced = new Set((inputs ?? []).map(({ id }) => id));
    const segments = [...stored.segments.filter(({ id }) => !replaced.has(id)), grown];
    const finished: DayManifest = { segments, work: { ...advanced, state: "written" } };
    const next = await this.#manifests.replace(day, stored, finished);
    this.#segments++;
    if (inputs === null) this.#batches += keys.length;
    return this.#deleteInputs(day, next, { ...advanced, state: "written" });
  }

  /** Deletes the inputs of a segment that readers use. */
  async #deleteInputs(day: string, stored: StoredManifest, work: SegmentWork): Promise<boolean> {
    const { inputs, segment } = work;
    const keys =
      inputs === null
        ? await this.#batchKeys(day, segment.id)
        : inputs.flatMap((each) => [
            inputsKey(this.#application, day, each.id),
            ...shardsInRange(each, 0, 1).map((shard) => fileKey(this.#application, day, each.id, shard)),
          ]);
    for (let at = 0; at < (keys?.length ?? 0); at += maxKeys)
      await this.#bucket.delete(keys?.slice(at, at + maxKeys) ?? []);
    await this.#manifests.replace(day, stored, { segments: stored.segments, work: null });
    if (inputs === null) await this.#bucket.delete(inputsKey(this.#application, day, segment.id));
    return true;
  }
}
