import { hash53 } from "../columns/hash.ts";
import { type Gradual, runToEnd } from "../gradual.ts";
import type { DataFacts } from "./compare.ts";
import { engaged as isEngaged, type LoggedExample } from "./logged-examples.ts";

/** Numbers that are kept of each example, so that windows and health need no second look at all features. */
const fields = 7;
const timeField = 1;

/** An example in a few numbers. */
export interface Summary {
  id: number;
  time: number;
  /** Hash of the pseudonym. */
  pseudonymHash: number;
  /** Weighted rows that were shown, and of them those that were engaged with. */
  shown: number;
  chosen: number;
  rows: number;
  /** Part of the snapshot that the example lies in. */
  part: number;
}

/** Examples that are gone through between two pauses: about 1 ms of one core. */
const examplesPerPause = 4096;

/** The examples of a part in numbers. */
export function summarise(examples: readonly LoggedExample[], part: number): Float64Array<ArrayBuffer> {
  const all = new Float64Array(fields * examples.length);
  examples.forEach(({ id, time, pseudonym: person, rows, weight }, i) => {
    const shown = rows.filter(({ position }) => position > 0);
    const chosen = shown.filter(({ outcome }) => isEngaged(outcome)).length;
    all.set(
      [id, time, hash53(person), weight * shown.length, weight * chosen, rows.length, part],
      i * fields,
    );
  });
  return all;
}

/** Numbers of several parts, one after the other. */
export function joined(parts: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Shows all summaries in some numbers, in the order of the snapshot, with pauses; none is kept. */
export function* eachSummary(numbers: Float64Array, see: (summary: Summary) => void): Gradual<void> {
  for (let at = 0; at + fields <= numbers.length; at += fields) {
    if ((at / fields) % examplesPerPause === 0) yield;
    see({
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

/** A set of ids, with pauses. */
export function* setGradually(ids: Float64Array): Gradual<Set<number>> {
  const set = new Set<number>();
  for (let at = 0; at < ids.length; at++) {
    if (at % examplesPerPause === 0) yield;
    set.add(ids[at]);
  }
  return set;
}

/** Times at which the windows begin: what is older is learnt from. */
export interface Windows {
  calibration: number;
  evaluation: number;
}

/** What is kept from learning: a share of the examples, and so many of them at most. */
export interface Held {
  share: number;
  most: number;
}

/**
 * Cuts the newest examples off, to calibrate and to judge by: no more than are looked at, since a large log would otherwise
 * keep its newest days from the model that is to serve tomorrow.
 */
export function windowsOf(summaries: Float64Array, calibration: Held, evaluation: Held): Windows {
  const times = new Float64Array(summaries.length / fields);
  for (let i = 0; i < times.length; i++) times[i] = summaries[i * fields + timeField];
  times.sort();
  const held = ({ share, most }: Held): number => Math.min(most, times.length * share);
  const at = (newest: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length - newest))] ?? Number.POSITIVE_INFINITY;
  return { calibration: at(held(calibration) + held(evaluation)), evaluation: at(held(evaluation)) };
}

/** What the examples say of the health of the log. */
export const factsOf = (summaries: Float64Array, windows: Windows, damaged: number): DataFacts =>
  runToEnd(factsGradually(summaries, windows, damaged));

/** {@link factsOf}, with pauses. */
export function* factsGradually(
  summaries: Float64Array,
  windows: Windows,
  damaged: number,
): Gradual<DataFacts> {
  const people = new Map<number, number>();
  const sums = { training: { shown: 0, chosen: 0 }, newest: { shown: 0, chosen: 0 } };
  let examples = 0;
  let engaged = 0;
  yield* eachSummary(summaries, ({ pseudonymHash: person, time, shown, chosen }) => {
    examples++;
    if (chosen > 0) engaged++;
    const window = sums[time < windows.evaluation ? "training" : "newest"];
    window.shown += shown;
    window.chosen += chosen;
    people.set(person, (people.get(person) ?? 0) + chosen);
  });
  const all = [...people.values()].reduce((sum, each) => sum + each, 0);
  const most = [...people.values()].reduce((high, each) => Math.max(high, each), 0);
  const rate = ({ shown, chosen }: { shown: number; chosen: number }): number =>
    shown === 0 ? 0 : chosen / shown;
  return {
    examples,
    engaged,
    people: people.size,
    damaged,
    largestShare: all === 0 ? 0 : most / all,
    rate: { training: rate(sums.training), newest: rate(sums.newest) },
  };
}
