import type { PartRanks, TestRanks } from "./rank-test-events.ts";

/** Returns the ranks of all parts together, with the events in the order of their indexes. */
export function mergeRanks(parts: readonly PartRanks[]): TestRanks {
  return {
    events: parts
      .flatMap(({ events, indexes }) => events.map((event, i) => ({ event, index: indexes[i] })))
      .sort((a, b) => a.index - b.index)
      .map(({ event }) => event),
    eventsRecalledAt: Object.fromEntries(
      sumByKey(parts.flatMap(({ eventsRecalledAt }) => Object.entries(eventsRecalledAt))),
    ),
    timesShown: sumByKey(parts.flatMap(({ timesShown }) => [...timesShown])),
    stageMilliseconds: Object.fromEntries(
      sumByKey(parts.flatMap(({ stageMilliseconds }) => Object.entries(stageMilliseconds))),
    ),
    requests: parts.reduce((sum, { requests }) => sum + requests, 0),
  };
}

function sumByKey(entries: readonly (readonly [string, number])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, value] of entries) sums.set(key, (sums.get(key) ?? 0) + value);
  return sums;
}
