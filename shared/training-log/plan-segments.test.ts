import { describe, expect, it } from "vitest";
import type { Segment } from "./day-manifest.ts";
import {
  bitsOfBatches,
  bitsOfMerged,
  defaultLimits,
  passesFor,
  segmentsToMerge,
  shardsInRange,
} from "./plan-segments.ts";

const day = "2026-01-20";
const noon = Date.UTC(2026, 0, 20, 12) / 1000;
const afterwards = noon + 20 * 3600;
const segment = (bytes: number, bits: number, level = 0): Segment => ({
  ...{ id: `${Math.random()}`, bits, level, lines: 0, bytes },
});

describe("segmentsToMerge", () => {
  it("merges a day that has ended, and leaves late batches beside it until they are many or large", () => {
    const whole = segment(6_000_000, 11, 1);
    const late = segment(20_000, 1);
    const due = (...segments: Segment[]) => segmentsToMerge({ segments, work: null }, day, afterwards);
    expect(due(segment(1000, 0), segment(1000, 0))).toHaveLength(2);
    expect(due(whole)).toBeNull();
    expect(due(whole, ...Array.from({ length: 7 }, () => late))).toBeNull();
    expect(due(whole, ...Array.from({ length: 8 }, () => late))).toHaveLength(9);
    expect(due(whole, segment(1_600_000, 6))).toHaveLength(2);
  });

  it("merges 32 segments of a level while the day goes on", () => {
    const segments = [segment(9_000_000, 9, 1), ...Array.from({ length: 40 }, () => segment(1000, 0))];
    expect(segmentsToMerge({ segments: segments.slice(0, 32), work: null }, day, noon)).toBeNull();
    expect(segmentsToMerge({ segments, work: null }, day, noon)).toEqual(segments.slice(1, 33));
  });
});

describe("shardsInRange", () => {
  it("divides the shards of a segment among ranges, or a shard among several ranges", () => {
    expect(shardsInRange({ bits: 3 }, 1, 2)).toEqual([4, 5, 6, 7]);
    expect(shardsInRange({ bits: 3 }, 5, 8)).toEqual([5]);
    expect(shardsInRange({ bits: 1 }, 5, 8)).toEqual([1]);
    expect(shardsInRange({ bits: 0 }, 0, 1)).toEqual([0]);
  });
});

describe("a day of 10 million events with a million examples, on paper", () => {
  /** Compressed bytes: 80 of an event, 5,000 of an example. */
  const dayBytes = 10_000_000 * 80 + 1_000_000 * 5000;

  /** Compacts the day as the rules say. Returns the largest bounds of a pass, and the counts of the day. */
  function compactDay() {
    let segments: Segment[] = [];
    const result = { passBytes: 0, passCalls: 0, passes: 0, writes: 0, writtenBytes: 0, maxSegments: 0 };
    const count = (inputs: readonly Segment[], bits: number): void => {
      const passes = passesFor(inputs, bits, defaultLimits);
      const files = inputs.reduce((sum, each) => sum + Math.max(1, 2 ** each.bits / passes), 0);
      const bytes = inputs.reduce((sum, each) => sum + each.bytes / Math.min(passes, 2 ** each.bits), 0);
      result.passBytes = Math.max(result.passBytes, bytes);
      result.passCalls = Math.max(result.passCalls, 2 * files + 2 ** bits / passes);
      result.passes += passes;
      result.writes += 2 ** bits;
      result.writtenBytes += inputs.reduce((sum, each) => sum + each.bytes, 0);
    };
    const merge = (now: number): void => {
      for (;;) {
        const inputs = segmentsToMerge({ segments, work: null }, day, now);
        if (inputs === null) return;
        const bits = bitsOfMerged(inputs, day, now);
        count(inputs, bits);
        const level = 1 + Math.max(...inputs.map((each) => each.level));
        const bytes = inputs.reduce((sum, each) => sum + each.bytes, 0);
        segments = [...segments.filter((each) => !inputs.includes(each)), segment(bytes, bits, level)];
      }
    };
    for (let bytes = 0; bytes < dayBytes; bytes += defaultLimits.bytesPerPass) {
      const bits = bitsOfBatches(defaultLimits.bytesPerPass);
      result.writes += 2 ** bits;
      result.passes++;
      result.writtenBytes += defaultLimits.bytesPerPass;
      segments.push(segment(defaultLimits.bytesPerPass, bits));
      merge(noon);
      result.maxSegments = Math.max(result.maxSegments, segments.length);
    }
    merge(afterwards);
    return { ...result, segments };
  }

  it("needs passes of bounded size, few segments at a time, and four writes of each byte", () => {
    const { passBytes, passCalls, passes, writes, writtenBytes, maxSegments, segments } = compactDay();
    expect(segments).toMatchObject([{ bits: 11 }]);
    // The whole day's segments have at most 2,048 files each, so that a pass of the last merge reads some megabytes.
    expect(passBytes).toBeLessThan(4_000_000);
    expect(passCalls).toBeLessThan(600);
    // A pass takes a second or two, and a day has 86,400 of them.
    expect(passes).toBeLessThan(15_000);
    expect(writes).toBeLessThan(400_000);
    expect(writtenBytes / dayBytes).toBeLessThan(5);
    // An erasure looks at one file of each.
    expect(maxSegments).toBeLessThan(100);
  });
});
