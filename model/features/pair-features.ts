import { decay } from "../../shared/geo/decay.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import { fastLog1p } from "../../shared/math/fast-log.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import type { Columns } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { engagementWeights } from "../columns/layout.ts";
import { offsetsByName } from "../columns/offsets.ts";
import { hasProductId } from "../columns/product-identity.ts";
import type { RecentEvent } from "../profile/profile.ts";
import type { RankedBlock } from "./ranked-block.ts";
import type { RankingContext } from "./ranking-context.ts";

/** Recent choices that attention sees, newest first. */
export const historyLength = 16;

/** Features of a recent event by itself, which are the same for each candidate. */
export const eventFeatureNames = [
  "present",
  "gap",
  "position",
  "weight",
  "same_hour",
  "same_weekday",
  // How much the event belongs to what the user is doing now: 1 at the event, halved every 40 minutes.
  "just_now",
] as const;

/**
 * Features of (candidate, recent event): the inputs of attention (Zhou et al., "Deep Interest Network", KDD 2018), with
 * gaps of time and space in place of an interaction of embeddings.
 */
export const pairFeatureNames = ["same_product", "same_category", "distance", "within_1km"] as const;

const eventWidth = eventFeatureNames.length;
const eventOffset = offsetsByName(eventFeatureNames);

const pairWidth = pairFeatureNames.length;
const pairOffset = offsetsByName(pairFeatureNames);
const sameProductOffset = pairOffset.same_product;
const sameCategoryOffset = pairOffset.same_category;
const distanceOffset = pairOffset.distance;
const within1KmOffset = pairOffset.within_1km;

/** Half-life of the feature `just_now`, in seconds. */
const justNowHalfLifeSeconds = 2400;

/** The newest events, newest first, as the features read them. */
export interface EventHistory {
  events: readonly RecentEvent[];
  /** Hash of each event's product id: it finds the products to compare. */
  idHash: Float64Array;
  /** Unit vectors of the events' locations. */
  at: Float64Array;
  /** For each event, the first one at the same location: users return, and the distance is the same each time. */
  firstAt: Int32Array;
  context: RankingContext;
}

/** Returns the newest {@link historyLength} events of the user. */
export function eventHistoryOf(context: RankingContext): EventHistory {
  const events = context.profile.recent.slice(-historyLength).reverse();
  return {
    events,
    idHash: Float64Array.from(events, ({ productId }) => hash53(productId)),
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

/** Writes the features of each event to `out`, {@link historyLength} rows; rows without an event are zero. */
export function fillEvents({ events, context }: EventHistory, out: Float32Array): void {
  out.fill(0);
  for (const [i, event] of events.entries()) {
    const seconds = Math.max(0, context.now - event.time);
    const hoursApart = Math.abs(localHourOf(event.localTime) - context.hour);
    const at = i * eventWidth;
    out[at + eventOffset.present] = 1;
    out[at + eventOffset.gap] = Math.log1p(seconds / hourSeconds) / 3;
    out[at + eventOffset.position] = i / historyLength;
    out[at + eventOffset.weight] = engagementWeights[event.type] / 4;
    out[at + eventOffset.same_hour] = Math.exp(-Math.min(hoursApart, 24 - hoursApart) / 2);
    out[at + eventOffset.same_weekday] = localWeekdayOf(event.localTime) === context.weekday ? 1 : 0;
    out[at + eventOffset.just_now] = 2 ** (-seconds / justNowHalfLifeSeconds);
  }
}

/** Returns the index of each event's category in the strings of a block; -1 for one that the block does not have. */
const eventCategoriesIn = (events: readonly RecentEvent[], { strings }: Columns): Int32Array =>
  Int32Array.from(events, ({ category }) => (category === null ? -1 : strings.indexOf(category)));

/** Writes the features of one candidate with each event to `out` from `at`, where `out` must be zero. */
export function fillPairs(
  { events, idHash, at: eventVectors, firstAt }: EventHistory,
  of: RankedBlock,
  row: number,
  out: Float32Array,
  at: number,
): void {
  const { block, vectors } = of;
  of.eventCategories ??= eventCategoriesIn(events, block);
  const categories = of.eventCategories;
  const own = block.category[row];
  const ownHash = block.idHash[row];
  for (let i = 0; i < idHash.length; i++, at += pairWidth) {
    if (idHash[i] === ownHash && hasProductId(block, row, events[i].productId))
      out[at + sameProductOffset] = 1;
    if (categories[i] === own) out[at + sameCategoryOffset] = 1;
    if (firstAt[i] < i) {
      const first = at - (i - firstAt[i]) * pairWidth;
      out[at + distanceOffset] = out[first + distanceOffset];
      out[at + within1KmOffset] = out[first + within1KmOffset];
      continue;
    }
    const km = vectorDistanceKm(eventVectors, i, vectors, row);
    if (Number.isNaN(km)) continue;
    out[at + distanceOffset] = fastLog1p(km) / 3;
    out[at + within1KmOffset] = decay(km);
  }
}
