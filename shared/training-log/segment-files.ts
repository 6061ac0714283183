import * as z from "zod";
import { mapConcurrent } from "../async/map-concurrent.ts";
import { retryAtRate } from "../r2/put-at-rate.ts";
import type { Segment } from "./day-manifest.ts";
import { fileKey } from "./keys.ts";
import { lineIdentity, packTexts, unpackTexts } from "./lines.ts";
import type { LogBucket } from "./log-bucket.ts";
import { type Clock, OtherRunError } from "./manifest-writer.ts";
import { shardsInRange } from "./plan-segments.ts";
import { filterOf, shardOf } from "./user-filter.ts";

/** Reads or writes at the same time. A Worker may have six connections. */
const maxConcurrent = 6;
/** A pass is repeated this often if erasures change its inputs meanwhile. */
const maxRepeats = 5;
/** Pause before a pass writes the same keys again, in milliseconds. */
const repeatDelayMs = 1100;

const ownedLine = z.looseObject({ pseudonym: z.string() });

/** Returns what a JSON text holds; undefined if the text is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object that a pass reads. */
interface Input {
  key: string;
  etag: string;
}

/** A line of the log that is being compacted. */
interface Line {
  text: string;
  pseudonym: string;
}

/** Writes the files of a segment from the lines of batches, or of other segments. */
export class SegmentFiles {
  readonly #bucket: LogBucket;
  readonly #application: string;
  readonly #clock: Clock;
  /** Lines, and whole objects, that could not be read. */
  damaged = 0;

  constructor(bucket: LogBucket, application: string, clock: Clock) {
    this.#bucket = bucket;
    this.#application = application;
    this.#clock = clock;
  }

  /** Writes the files of a range of users until no input changed meanwhile, as an erasure changes it. */
  async writeRange(
    day: string,
    segment: Segment,
    keys: readonly string[],
    range: number,
    passes: number,
  ): Promise<{ lines: number; bytes: number }> {
    for (let attempt = 1; ; attempt++) {
      const { inputs, lines } = await this.#readRange(day, keys, range, passes);
      const written = await this.#writeFiles(day, segment, lines, range, passes);
      if (await this.#areUnchanged(inputs)) return written;
      if (attempt === maxRepeats)
        throw new Error(`The training log of ${day} changed during each of ${maxRepeats} passes.`);
      await this.#clock.wait(repeatDelayMs);
    }
  }

  /** Reads the lines of a range of users, each once, ordered by user. Throws if an input does not exist any more. */
  async #readRange(
    day: string,
    keys: readonly string[],
    range: number,
    passes: number,
  ): Promise<{ inputs: Input[]; lines: Line[] }> {
    const inputs: Input[] = [];
    const read = new Map<number, Map<string, Line>>();
    await mapConcurrent(maxConcurrent, [...keys.entries()], async ([index, key]) => {
      const object = await this.#bucket.get(key);
      if (!object) throw new OtherRunError(day);
      inputs.push({ key, etag: object.etag });
      read.set(index, await this.#linesIn(await object.arrayBuffer(), range, Math.log2(passes)));
    });
    // In the order of the keys, so that a repeated pass writes the same files.
    const lines = new Map<string, Line>();
    for (const index of keys.keys())
      for (const [identity, line] of read.get(index) ?? [])
        if (!lines.has(identity)) lines.set(identity, line);
    const sorted = [...lines.values()].sort((a, b) =>
      a.pseudonym < b.pseudonym ? -1 : a.pseudonym > b.pseudonym ? 1 : 0,
    );
    return { inputs, lines: sorted };
  }

  /** Returns the lines of one range of users in an object, by identity, without those that cannot be read. */
  async #linesIn(bytes: ArrayBuffer, range: number, bits: number): Promise<Map<string, Line>> {
    const lines = new Map<string, Line>();
    const texts = await unpackTexts(bytes).catch(() => null);
    let damaged = texts === null ? 1 : 0;
    for (const text of texts ?? []) {
      const owned = ownedLine.safeParse(parseJson(text));
      if (!owned.success) damaged++;
      else if (shardOf(owned.data.pseudonym, bits) === range)
        lines.set(lineIdentity(owned.data), { text, pseudonym: owned.data.pseudonym });
    }
    if (damaged > 0) console.error({ event: "training log damaged", lines: damaged });
    this.damaged += damaged;
    return lines;
  }

  /** Writes all files of a range of users, also empty ones. */
  async #writeFiles(
    day: string,
    segment: Segment,
    lines: readonly Line[],
    range: number,
    passes: number,
  ): Promise<{ lines: number; bytes: number }> {
    const groups = Map.groupBy(lines, ({ pseudonym }) => shardOf(pseudonym, segment.bits));
    let bytes = 0;
    await mapConcurrent(maxConcurrent, shardsInRange(segment, range, passes), async (shard) => {
      const group = groups.get(shard) ?? [];
      const packed = await packTexts(group.map(({ text }) => text));
      bytes += packed.byteLength;
      const users = filterOf(new Set(group.map(({ pseudonym }) => pseudonym)));
      const key = fileKey(this.#application, day, segment.id, shard);
      // An interrupted pass may have written it just before.
      await retryAtRate(() => this.#bucket.put(key, packed, { customMetadata: { users } }), this.#clock.wait);
    });
    return { lines: lines.length, bytes };
  }

  async #areUnchanged(inputs: readonly Input[]): Promise<boolean> {
    let unchanged = true;
    await mapConcurrent(maxConcurrent, inputs, async ({ key, etag }) => {
      if (unchanged && (await this.#bucket.head(key))?.etag !== etag) unchanged = false;
    });
    return unchanged;
  }
}
