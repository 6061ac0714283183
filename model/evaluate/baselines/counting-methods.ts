import { distanceKm } from "../../../shared/geo/distance.ts";
import type { Dataset, DatasetEvent } from "../../data/dataset.ts";
import type { Baseline } from "./baseline.ts";

/** Counts by user: choices of each item, and transitions from one item to the next. */
class UserHistory {
  readonly counts = new Map<string, Map<number, number>>();
  readonly transitions = new Map<string, Map<number, Map<number, number>>>();
  readonly last = new Map<string, number>();

  observe(userId: string, item: number): void {
    increment(mapOf(this.counts, userId), item);
    const last = this.last.get(userId);
    if (last !== undefined) {
      const transitions = mapOf(this.transitions, userId);
      const from = transitions.get(last) ?? new Map<number, number>();
      transitions.set(last, from);
      increment(from, item);
    }
    this.last.set(userId, item);
  }
}

const increment = (counts: Map<number, number>, key: number): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);
/** Returns the inner map of a key, and creates it if it is missing. */
function mapOf<V>(map: Map<string, Map<number, V>>, key: string): Map<number, V> {
  const inner = map.get(key) ?? new Map<number, V>();
  map.set(key, inner);
  return inner;
}
const sum = (counts: Map<number, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

/** Pseudo-counts that smooth the transition shares of one user and of all users. */
const userTransitionSmoothing = 2;
const globalTransitionSmoothing = 5;
/** Weight of all users' transitions relative to the user's own, in `frequencyMarkov`. */
const globalTransitionWeight = 0.3;
/** Distance in kilometers for products or users without a location: farther than any real distance. */
const unknownDistanceKm = 1e6;
/** Largest score difference that popularity makes; smaller than any other difference. */
const tieBreakScale = 1e-9;

/**
 * Returns the counting methods that the model must beat. Global counts come from `past` alone; a user's own counts grow
 * with every observed event. Popularity breaks ties.
 *
 * - `popularity`: choices by all users.
 * - `distance`: distance from the user's last location.
 * - `frequency`: share of the user's own choices.
 * - `frequencyMarkov`: frequency, plus the transitions from the user's last item, by the user and by all users.
 * - `itemTransitions`: transitions from the user's last item, by all users.
 */
export function countingMethods(dataset: Dataset, past: readonly DatasetEvent[]): Baseline[] {
  const index = new Map([...dataset.items.keys()].map((id, i) => [id, i]));
  const n = index.size;
  const itemIndex = (event: DatasetEvent): number => index.get(event.itemId) as number;
  const items = [...dataset.items.values()];
  const popularity = new Float64Array(n);
  for (const event of past) popularity[itemIndex(event)]++;
  const maxPopularity = popularity.reduce((a, b) => Math.max(a, b), 1);
  const tieBreak = popularity.map((count) => (count / maxPopularity) * tieBreakScale);
  const userHistory = new UserHistory();
  const globalTransitions = new Map<number, Map<number, number>>();
  const lastItemOf = new Map<string, number>();
  for (const event of past) {
    const item = itemIndex(event);
    const last = lastItemOf.get(event.userId);
    if (last !== undefined) {
      const from = globalTransitions.get(last) ?? new Map<number, number>();
      globalTransitions.set(last, from);
      increment(from, item);
    }
    lastItemOf.set(event.userId, item);
  }
  const lastLocation = new Map<string, { lat: number; lon: number }>();
  const frequency = (userId: string): Float64Array => {
    const scores = tieBreak.slice();
    const counts = userHistory.counts.get(userId);
    if (!counts) return scores;
    const total = sum(counts);
    for (const [item, count] of counts) scores[item] += count / total;
    return scores;
  };
  // The methods share one history, and callers pass each event to all of them: only the first method updates the
  // history.
  const observe = (event: DatasetEvent): void => {
    userHistory.observe(event.userId, itemIndex(event));
    const item = dataset.items.get(event.itemId);
    const lat = event.lat ?? item?.lat ?? null;
    const lon = event.lon ?? item?.lon ?? null;
    if (lat !== null && lon !== null) lastLocation.set(event.userId, { lat, lon });
  };
  const ignore = (): void => undefined;
  return [
    { name: "popularity", score: () => popularity.slice(), observe },
    {
      name: "distance",
      score: ({ userId }) => {
        const from = lastLocation.get(userId);
        const scores = tieBreak.slice();
        items.forEach(({ lat, lon }, i) => {
          scores[i] -=
            from && lat !== null && lon !== null
              ? distanceKm(from.lat, from.lon, lat, lon)
              : unknownDistanceKm;
        });
        return scores;
      },
      observe: ignore,
    },
    { name: "frequency", score: ({ userId }) => frequency(userId), observe: ignore },
    {
      name: "frequencyMarkov",
      score: ({ userId }) => {
        const scores = frequency(userId);
        const last = userHistory.last.get(userId);
        if (last === undefined) return scores;
        const userNext = userHistory.transitions.get(userId)?.get(last);
        if (userNext) {
          const total = sum(userNext);
          for (const [item, count] of userNext) scores[item] += count / (total + userTransitionSmoothing);
        }
        const globalNext = globalTransitions.get(last);
        if (globalNext) {
          const total = sum(globalNext);
          for (const [item, count] of globalNext)
            scores[item] += (globalTransitionWeight * count) / (total + globalTransitionSmoothing);
        }
        return scores;
      },
      observe: ignore,
    },
    {
      name: "itemTransitions",
      score: ({ userId }) => {
        const scores = tieBreak.slice();
        const last = userHistory.last.get(userId);
        const globalNext = last === undefined ? undefined : globalTransitions.get(last);
        if (globalNext) {
          const total = sum(globalNext);
          for (const [item, count] of globalNext) scores[item] += count / (total + globalTransitionSmoothing);
        }
        return scores;
      },
      observe: ignore,
    },
  ];
}
