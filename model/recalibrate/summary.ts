import { hash53 } from "../columns/hash.ts";
import type { DataFacts } from "./compare.ts";
import { engaged, type LoggedExample } from "./logged.ts";

/** Numbers that are kept of each example, so that windows and health need no second look at all features. */
const fields = 7;

/** An example in a few numbers. */
export interface Summary {
  id: number;
  time: number;
  /** Hash of the pseudonym. */
  person: number;
  /** Weighted rows that were shown, and of them those that were engaged with. */
  shown: number;
  chosen: number;
  rows: number;
  /** Part of the snapshot that the example lies in. */
  part: number;
}

/** Appends examples of a part to what is known of earlier ones. */
export function appendSummaries(
  known: Float64Array,
  examples: readonly LoggedExample[],
  part: number,
): Float64Array<ArrayBuffer> {
  const all = new Float64Array(known.length + fields * examples.length);
  all.set(known);
  examples.forEach(({ id, time, person, rows, weight }, i) => {
    const shown = rows.filter(({ position }) => position > 0);
    const chosen = shown.filter(({ outcome }) => engaged(outcome)).length;
    all.set(
      [id, time, hash53(person), weight * shown.length, weight * chosen, rows.length, part],
      known.length + i * fields,
    );
  });
  return all;
}

/** All summaries, in the order of the snapshot. */
export function summariesIn(numbers: Float64Array): Summary[] {
  const list: Summary[] = [];
  for (let at = 0; at + fields <= numbers.length; at += fields) {
    const [id, time, person, shown, chosen, rows, part] = numbers.subarray(at, at + fields);
    list.push({ id, time, person, shown, chosen, rows, part });
  }
  return list;
}

/** Ids of the examples. */
export function idsIn(numbers: Float64Array): Set<number> {
  const ids = new Set<number>();
  for (let at = 0; at < numbers.length; at += fields) ids.add(numbers[at]);
  return ids;
}

/** Times at which the windows begin: what is older is learnt from. */
export interface Windows {
  calibration: number;
  evaluation: number;
}

/** Cuts the newest shares off. */
export function windowsOf(summaries: readonly Summary[], calibration: number, evaluation: number): Windows {
  const times = summaries.map(({ time }) => time).sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.POSITIVE_INFINITY;
  return { calibration: at(1 - calibration - evaluation), evaluation: at(1 - evaluation) };
}

/** What the examples say of the health of the log. */
export function factsOf(summaries: readonly Summary[], windows: Windows, damaged: number): DataFacts {
  const people = new Map<number, number>();
  const sums = { training: { shown: 0, chosen: 0 }, newest: { shown: 0, chosen: 0 } };
  for (const { person, time, shown, chosen } of summaries) {
    const window = sums[time < windows.evaluation ? "training" : "newest"];
    window.shown += shown;
    window.chosen += chosen;
    people.set(person, (people.get(person) ?? 0) + chosen);
  }
  const all = [...people.values()].reduce((sum, each) => sum + each, 0);
  const most = [...people.values()].reduce((high, each) => Math.max(high, each), 0);
  const rate = ({ shown, chosen }: { shown: number; chosen: number }): number =>
    shown === 0 ? 0 : chosen / shown;
  return {
    examples: summaries.length,
    engaged: summaries.filter(({ chosen }) => chosen > 0).length,
    people: people.size,
    damaged,
    largestShare: all === 0 ? 0 : most / all,
    rate: { training: rate(sums.training), newest: rate(sums.newest) },
  };
}
