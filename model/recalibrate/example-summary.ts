import { hash53 } from "../columns/hash.ts";
import { type PausableWork, runWithoutPauses } from "../pausable-work.ts";
import { isEngagement, type LoggedExample } from "./logged-examples.ts";

/** Numbers per summary; see {@link encodeSummaries} for their order. */
const fieldCount = 7;
/** Index of the time within a summary. */
const timeField = 1;

/** The figures of one example that later steps need without its features. */
export interface ExampleSummary {
  id: number;
  /** Seconds since the epoch. */
  time: number;
  /** Hash of the pseudonym. */
  pseudonymHash: number;
  /** Weighted number of rows that the user saw, and of rows that the user engaged with. */
  shown: number;
  chosen: number;
  rows: number;
  /** The part of the snapshot that holds the example. */
  part: number;
}

/** Summaries processed between two pauses: about 1 ms of CPU time. */
const examplesPerPause = 4096;

/** Returns the summaries of a part's examples, seven numbers each. */
export function encodeSummaries(examples: readonly LoggedExample[], part: number): Float64Array<ArrayBuffer> {
  const all = new Float64Array(fieldCount * examples.length);
  examples.forEach(({ id, time, pseudonym, rows, weight }, i) => {
    const shown = rows.filter(({ position }) => position > 0);
    const chosen = shown.filter(({ outcome }) => isEngagement(outcome)).length;
    all.set(
      [id, time, hash53(pseudonym), weight * shown.length, weight * chosen, rows.length, part],
      i * fieldCount,
    );
  });
  return all;
}

/** Returns the arrays concatenated. */
export function concatenateArrays(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Calls `visit` with each encoded summary, in the order of the snapshot, with pauses. */
export function* visitSummariesPausable(
  numbers: Float64Array,
  visit: (summary: ExampleSummary) => void,
): PausableWork<void> {
  for (let at = 0; at + fieldCount <= numbers.length; at += fieldCount) {
    if ((at / fieldCount) % examplesPerPause === 0) yield;
    visit({
      id: numbers[at],
      time: numbers[at + timeField],
      pseudonymHash: numbers[at + 2],
      shown: numbers[at + 3],
      chosen: numbers[at + 4],
      rows: numbers[at + 5],
      part: numbers[at + 6],
    });
  }
}

/** Returns the ids as a set, with pauses. */
export function* idSetPausable(ids: Float64Array): PausableWork<Set<number>> {
  const set = new Set<number>();
  for (let at = 0; at < ids.length; at++) {
    if (at % examplesPerPause === 0) yield;
    set.add(ids[at]);
  }
  return set;
}

/** Values that a user's hash is reduced to, to decide who is held out. */
const holdoutGrains = 10_000;

/**
 * Returns whether a user is held out: no recalibrated model learns from their lists, so that they judge every model. Grains
 * of the hash decide, so a user stays held out from night to night. `share` is between 0 and 1.
 */
export const isHeldOut = (pseudonymHash: number, share: number): boolean =>
  Math.floor(pseudonymHash / 2 ** 20) % holdoutGrains < share * holdoutGrains;

/**
 * Start times of the two held-out windows, in seconds since the epoch. Training uses the examples before `calibration`;
 * the calibration window ends where the evaluation window starts.
 */
export interface WindowStarts {
  /** Where training starts; 0 for the whole log. Absent in plans of the release before. */
  training?: number;
  calibration: number;
  evaluation: number;
}

/** The size of a held-out window: a share of the examples (0 to 1), but at most `max` examples. */
export interface HoldoutSize {
  share: number;
  max: number;
}

/**
 * Returns the start times of the calibration and evaluation windows, which hold the newest examples. The `max` of a
 * window keeps it small in a large log: otherwise the newest days would be missing from training.
 */
export function windowStarts(
  summaries: Float64Array,
  calibration: HoldoutSize,
  evaluation: HoldoutSize,
): WindowStarts {
  const times = new Float64Array(summaries.length / fieldCount);
  for (let i = 0; i < times.length; i++) times[i] = summaries[i * fieldCount + timeField];
  times.sort();
  const holdoutLists = ({ share, max }: HoldoutSize): number => Math.min(max, times.length * share);
  const startOfNewest = (newest: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length - newest))] ?? Number.POSITIVE_INFINITY;
  return {
    calibration: startOfNewest(holdoutLists(calibration) + holdoutLists(evaluation)),
    evaluation: startOfNewest(holdoutLists(evaluation)),
  };
}

/**
 * Returns where training starts: where that of the serving model ended (`learnedUntil`), since a model that sees its lists
 * again and again fits their chance. 0, the whole log, if fewer than `minLists` lists would be left before `calibration`.
 */
export function trainingStart(
  summaries: Float64Array,
  calibration: number,
  learnedUntil: number,
  minLists: number,
): number {
  let unseen = 0;
  for (let at = timeField; at < summaries.length; at += fieldCount)
    if (summaries[at] >= learnedUntil && summaries[at] < calibration) unseen++;
  return unseen < minLists ? 0 : learnedUntil;
}

/** Figures by which the gate checks the training log. */
export interface LogStatistics {
  examples: number;
  /** Examples with at least one engagement. */
  engaged: number;
  /** Number of users. */
  people: number;
  /** Lines that do not match the documented format. */
  damaged: number;
  /** Share of all engagement (0 to 1) that comes from the most active user. */
  largestShare: number;
  /** Share of shown rows with an engagement: before the evaluation window, and in it. */
  rate: { training: number; newest: number };
}

/** Returns the statistics of the log. `damaged` is the number of unreadable lines. */
export const logStatistics = (
  summaries: Float64Array,
  windows: WindowStarts,
  damaged: number,
): LogStatistics => runWithoutPauses(logStatisticsPausable(summaries, windows, damaged));

/** Like {@link logStatistics}, with pauses. */
export function* logStatisticsPausable(
  summaries: Float64Array,
  windows: WindowStarts,
  damaged: number,
): PausableWork<LogStatistics> {
  const engagementByUser = new Map<number, number>();
  const sums = { training: { shown: 0, chosen: 0 }, newest: { shown: 0, chosen: 0 } };
  let examples = 0;
  let engaged = 0;
  yield* visitSummariesPausable(summaries, ({ pseudonymHash, time, shown, chosen }) => {
    examples++;
    if (chosen > 0) engaged++;
    const window = sums[time < windows.evaluation ? "training" : "newest"];
    window.shown += shown;
    window.chosen += chosen;
    engagementByUser.set(pseudonymHash, (engagementByUser.get(pseudonymHash) ?? 0) + chosen);
  });
  const total = [...engagementByUser.values()].reduce((sum, each) => sum + each, 0);
  const largest = [...engagementByUser.values()].reduce((max, each) => Math.max(max, each), 0);
  const rate = ({ shown, chosen }: { shown: number; chosen: number }): number =>
    shown === 0 ? 0 : chosen / shown;
  return {
    examples,
    engaged,
    people: engagementByUser.size,
    damaged,
    largestShare: total === 0 ? 0 : largest / total,
    rate: { training: rate(sums.training), newest: rate(sums.newest) },
  };
}
