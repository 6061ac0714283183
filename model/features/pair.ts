import { unitVectors, vectorDistanceKm } from "../../workers/shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import { engagementWeights } from "../columns/layout.ts";
import { hourOf, weekdayOf } from "../person/person.ts";
import { vectorsOf } from "../retrieval/scan.ts";
import type { RankingContext } from "./context.ts";

/** Recent events that attention sees, newest first. */
export const history = 16;

/**
 * Features of (candidate, recent event): what attention weighs (Zhou et al., "Deep Interest Network", KDD 2018), with
 * gaps of time and space in place of an interaction of embeddings.
 */
export const pairNames = [
  "present",
  "same_product",
  "same_category",
  "distance",
  "within_1km",
  "gap",
  "position",
  "weight",
  "same_hour",
  "same_weekday",
  // How much the event belongs to what the person is doing now: 1 at once, halved in 40 minutes.
  "just_now",
] as const;

/** What does not depend on the candidate, computed once for a ranking. */
export interface HistoryEvent {
  idHash: number;
  categoryHash: number;
  gap: number;
  weight: number;
  sameHour: number;
  sameWeekday: number;
  justNow: number;
}

/** The newest events as attention sees them, and where they were, as unit vectors. */
export interface History {
  events: HistoryEvent[];
  at: Float64Array;
}

/** The newest events, newest first. */
export function historyOf(context: RankingContext): History {
  const recent = context.person.recent.slice(-history).reverse();
  const at = unitVectors(
    recent.map(({ lat }) => lat ?? Number.NaN),
    recent.map(({ lon }) => lon ?? Number.NaN),
    recent.length,
  );
  const events = recent.map((event): HistoryEvent => {
    const apart = Math.abs(hourOf(event.localTime) - context.hour);
    return {
      idHash: hash53(event.productId),
      categoryHash: event.category === null ? -1 : hash32(event.category),
      gap: Math.log1p(Math.max(0, context.now - event.time) / 3600) / 3,
      weight: engagementWeights[event.type] / 4,
      sameHour: Math.exp(-Math.min(apart, 24 - apart) / 2),
      sameWeekday: weekdayOf(event.localTime) === context.weekday ? 1 : 0,
      justNow: 2 ** (-Math.max(0, context.now - event.time) / 2400),
    };
  });
  return { events, at };
}

/** Writes the pairs of one candidate, `history` times `pairNames` numbers, from `at`. */
export function fillPairs(
  { events, at: where }: History,
  block: Columns,
  row: number,
  out: Float32Array,
  at: number,
): void {
  const width = pairNames.length;
  out.fill(0, at, at + history * width);
  const vectors = vectorsOf(block);
  for (let i = 0; i < events.length; i++, at += width) {
    const event = events[i];
    const km = vectorDistanceKm(where, i, vectors, row);
    out[at] = 1;
    out[at + 1] = event.idHash === block.idHash[row] ? 1 : 0;
    out[at + 2] = event.categoryHash === block.categoryHash[row] ? 1 : 0;
    if (!Number.isNaN(km)) {
      out[at + 3] = Math.log1p(km) / 3;
      out[at + 4] = Math.exp(-km);
    }
    out[at + 5] = event.gap;
    out[at + 6] = i / history;
    out[at + 7] = event.weight;
    out[at + 8] = event.sameHour;
    out[at + 9] = event.sameWeekday;
    out[at + 10] = event.justNow;
  }
}
