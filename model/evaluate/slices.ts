import { type RankingQuality, rankingQuality } from "./metrics.ts";
import type { RankedEvent } from "./rank-test-events.ts";

/** Slices of the ranked events by how new the user and the product are, in the order of reports. */
const slices: Readonly<Record<string, (each: RankedEvent) => boolean>> = {
  "users: 0 choices": ({ priorChoices }) => priorChoices === 0,
  "users: 1-4 choices": ({ priorChoices }) => priorChoices >= 1 && priorChoices < 5,
  "users: 5-19 choices": ({ priorChoices }) => priorChoices >= 5 && priorChoices < 20,
  "users: 20+ choices": ({ priorChoices }) => priorChoices >= 20,
  "cold products, with content": ({ cold, content }) => cold && content,
  "cold products, without content": ({ cold, content }) => cold && !content,
  "late products, with content": ({ late, content }) => late && content,
  "late products, without content": ({ late, content }) => late && !content,
};

/** Quality of each method on the events of one slice, by method. */
export type SliceQuality = Record<string, RankingQuality>;

/** Returns the quality of each method on each slice, by slice; slices without an event are left out. */
export function qualityBySlice(events: readonly RankedEvent[]): Record<string, SliceQuality> {
  const names = Object.keys(events[0]?.ranks ?? {});
  return Object.fromEntries(
    Object.entries(slices).flatMap(([slice, includes]) => {
      const selected = events.filter(includes);
      if (selected.length === 0) return [];
      const userIds = selected.map(({ userId }) => userId);
      const quality = (name: string): RankingQuality =>
        rankingQuality(
          selected.map(({ ranks }) => ranks[name]),
          userIds,
        );
      return [[slice, Object.fromEntries(names.map((name) => [name, quality(name)]))]];
    }),
  );
}
