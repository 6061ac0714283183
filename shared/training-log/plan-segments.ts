import { daySeconds, hourSeconds } from "../time/seconds.ts";
import type { DayManifest, Segment } from "./day-manifest.ts";

/** Bounds of what one step of a compaction reads and writes. */
export interface CompactionLimits {
  /** Batches that one segment is made of. */
  batches: number;
  /** Compressed bytes that one pass reads. Its memory is some times as much. */
  bytesPerPass: number;
  /** Calls of the bucket that one pass makes, about. */
  callsPerPass: number;
}

export const defaultLimits: CompactionLimits = { batches: 250, bytesPerPass: 2_000_000, callsPerPass: 500 };

/** Mean size of the files of a day that has ended, in bytes: an erasure reads and rewrites whole files. */
const closedFileBytes = 4096;
/** Mean size of the files of a day that goes on. */
const openFileBytes = 16_384;
/** At most 64 files for a segment of batches, and 2,048 files for others. */
const maxBatchBits = 6;
const maxBits = 11;
/** Segments of one level that are merged into one of the next level while their day goes on. */
const segmentsPerLevel = 32;
/** Segments that a day that has ended consists of at most. Late batches make new ones. */
const maxClosedSegments = 8;
/** The segments of a day that has ended are merged while the smaller ones have this share of the largest one's bytes. */
const minMergedShare = 0.25;
/** A day counts as ended this long after its end, since batches arrive later than their events. */
const closingDelaySeconds = 2 * hourSeconds;

/** Returns the number of bits for files of about `fileBytes` bytes each. */
const bitsFor = (bytes: number, fileBytes: number, max: number): number =>
  Math.min(max, Math.max(0, Math.ceil(Math.log2(Math.max(1, bytes) / fileBytes))));

/** Returns the number of bits of a segment that is made of batches of `bytes` bytes. */
export const bitsOfBatches = (bytes: number): number => bitsFor(bytes, openFileBytes, maxBatchBits);

/** Returns whether a UTC day (`2026-01-31`) has ended. `now` is in seconds since the Unix epoch. */
export const hasEnded = (day: string, now: number): boolean =>
  now >= Date.parse(`${day}T00:00:00Z`) / 1000 + daySeconds + closingDelaySeconds;

const sumBytes = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { bytes }) => sum + bytes, 0);

/** Returns the segments of a day that should be merged now; null if none should. */
export function segmentsToMerge({ segments }: DayManifest, day: string, now: number): Segment[] | null {
  if (hasEnded(day, now)) {
    const largest = segments.reduce((max, { bytes }) => Math.max(max, bytes), 0);
    const others = sumBytes(segments) - largest;
    const due = segments.length > maxClosedSegments || others >= largest * minMergedShare;
    return segments.length > 1 && due ? segments : null;
  }
  for (const [, group] of Map.groupBy(segments, ({ level }) => level))
    if (group.length >= segmentsPerLevel) return group.slice(0, segmentsPerLevel);
  return null;
}

/** Returns the number of bits of the segment that segments of a day are merged into. */
export const bitsOfMerged = (inputs: readonly Segment[], day: string, now: number): number =>
  bitsFor(sumBytes(inputs), hasEnded(day, now) ? closedFileBytes : openFileBytes, maxBits);

/** Returns the shards of a segment whose users are in range `range` of `ranges`, a power of two. */
export function shardsInRange({ bits }: Pick<Segment, "bits">, range: number, ranges: number): number[] {
  const perRange = 2 ** bits / ranges;
  if (perRange < 1) return [Math.floor(range * perRange)];
  return Array.from({ length: perRange }, (_, i) => range * perRange + i);
}

/**
 * Returns the number of equal ranges of users, a power of two, so that reading one range of all inputs, and writing it
 * with `bits` bits, stays within the limits.
 */
export function passesFor(
  inputs: readonly Segment[],
  bits: number,
  { bytesPerPass, callsPerPass }: CompactionLimits,
): number {
  const fits = (passes: number): boolean => {
    const files = inputs.reduce((sum, each) => sum + Math.max(1, 2 ** each.bits / passes), 0);
    const bytes = inputs.reduce((sum, each) => sum + each.bytes / Math.min(passes, 2 ** each.bits), 0);
    // Each input is read, and looked at once more afterwards.
    return bytes <= bytesPerPass && 2 * files + 2 ** bits / passes <= callsPerPass;
  };
  let passes = 1;
  while (passes < 2 ** bits && !fits(passes)) passes *= 2;
  return passes;
}
