import { decay } from "../../shared/geo/decay.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import { engagementWeights } from "../columns/layout.ts";
import { hourOf, type RecentEvent, weekdayOf } from "../profile/profile.ts";
import { vectorsOf } from "../retrieval/scan.ts";
import type { RankingContext } from "./context.ts";

/** Recent events that attention sees, newest first. */
export const history = 16;

/** Features of a recent event by itself, the same for every candidate. */
export const eventNames = [
  "present",
  "gap",
  "position",
  "weight",
  "same_hour",
  "same_weekday",
  // How much the event belongs to what the person is doing now: 1 at once, halved in 40 minutes.
  "just_now",
] as const;

/**
 * Features of (candidate, recent event): what attention weighs (Zhou et al., "Deep Interest Network", KDD 2018), with
 * gaps of time and space in place of an interaction of embeddings.
 */
export const pairNames = ["same_product", "same_category", "distance", "within_1km"] as const;

/** The newest events as attention sees them, newest first: hashes of their products and categories, and where they were. */
export interface History {
  events: readonly RecentEvent[];
  idHash: Float64Array;
  /** -1 where the category is unknown. */
  categoryHash: Float64Array;
  /** Unit vectors. */
  at: Float64Array;
  /** The first event at the same place: people return, and a distance is the same each time. */
  firstAt: Int32Array;
  context: RankingContext;
}

/** The newest events, newest first. */
export function historyOf(context: RankingContext): History {
  const events = context.profile.recent.slice(-history).reverse();
  return {
    events,
    idHash: Float64Array.from(events, ({ productId }) => hash53(productId)),
    categoryHash: Float64Array.from(events, ({ category }) => (category === null ? -1 : hash32(category))),
    at: unitVectors(
      events.map(({ lat }) => lat ?? Number.NaN),
      events.map(({ lon }) => lon ?? Number.NaN),
      events.length,
    ),
    firstAt: Int32Array.from(events, ({ lat, lon }) =>
      events.findIndex((other) => other.lat === lat && other.lon === lon),
    ),
    context,
  };
}

/** Writes what each event says of itself, `history` times `eventNames` numbers; zeros where there is none. */
export function fillEvents({ events, context }: History, out: Float32Array): void {
  out.fill(0);
  for (const [i, event] of events.entries()) {
    const seconds = Math.max(0, context.now - event.time);
    const apart = Math.abs(hourOf(event.localTime) - context.hour);
    const at = i * eventNames.length;
    out[at] = 1;
    out[at + 1] = Math.log1p(seconds / 3600) / 3;
    out[at + 2] = i / history;
    out[at + 3] = engagementWeights[event.type] / 4;
    out[at + 4] = Math.exp(-Math.min(apart, 24 - apart) / 2);
    out[at + 5] = weekdayOf(event.localTime) === context.weekday ? 1 : 0;
    out[at + 6] = 2 ** (-seconds / 2400);
  }
}

/** Writes the pairs of one candidate, `history` times `pairNames` numbers, from `at`; `out` is zero there. */
export function fillPairs(
  { events, idHash, categoryHash, at: where, firstAt }: History,
  block: Columns,
  row: number,
  out: Float32Array,
  at: number,
): void {
  const vectors = vectorsOf(block);
  for (let i = 0; i < events.length; i++, at += pairNames.length) {
    if (idHash[i] === block.idHash[row]) out[at] = 1;
    if (categoryHash[i] === block.categoryHash[row]) out[at + 1] = 1;
    if (firstAt[i] < i) {
      const first = at - (i - firstAt[i]) * pairNames.length;
      out[at + 2] = out[first + 2];
      out[at + 3] = out[first + 3];
      continue;
    }
    const km = vectorDistanceKm(where, i, vectors, row);
    if (Number.isNaN(km)) continue;
    out[at + 2] = Math.log1p(km) / 3;
    out[at + 3] = decay(km);
  }
}
