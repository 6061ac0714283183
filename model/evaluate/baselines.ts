import { distanceKm } from "../../shared/geo/distance.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";

/** A method that scores every product for a person; it advances with the person's own events. */
export interface Baseline {
  name: string;
  /** Scores by item index; larger is better. */
  score(event: DatasetEvent): Float64Array;
  observe(event: DatasetEvent): void;
}

/** Counts by person: their choices, and the steps between them. */
class OwnPast {
  readonly counts = new Map<string, Map<number, number>>();
  readonly steps = new Map<string, Map<number, Map<number, number>>>();
  readonly last = new Map<string, number>();

  observe(userId: string, item: number): void {
    add(at(this.counts, userId), item);
    const last = this.last.get(userId);
    if (last !== undefined) {
      const steps = at(this.steps, userId);
      const from = steps.get(last) ?? new Map<number, number>();
      steps.set(last, from);
      add(from, item);
    }
    this.last.set(userId, item);
  }
}

const add = (counts: Map<number, number>, key: number): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);
function at<V>(map: Map<string, Map<number, V>>, key: string): Map<number, V> {
  const known = map.get(key) ?? new Map<number, V>();
  map.set(key, known);
  return known;
}
const sum = (counts: Map<number, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

/**
 * The counting methods to beat, over all products. Global counts are of `past` alone; a person's own counts grow with
 * every observed event. Ties are broken by popularity.
 */
export function baselines(dataset: Dataset, past: readonly DatasetEvent[]): Baseline[] {
  const index = new Map([...dataset.items.keys()].map((id, i) => [id, i]));
  const n = index.size;
  const of = (event: DatasetEvent): number => index.get(event.itemId) as number;
  const items = [...dataset.items.values()];
  const popular = new Float64Array(n);
  for (const event of past) popular[of(event)]++;
  const most = popular.reduce((a, b) => Math.max(a, b), 1);
  const tie = popular.map((count) => (count / most) * 1e-9);
  const own = new OwnPast();
  const everyone = new Map<number, Map<number, number>>();
  const lastOf = new Map<string, number>();
  for (const event of past) {
    const item = of(event);
    const last = lastOf.get(event.userId);
    if (last !== undefined) {
      const from = everyone.get(last) ?? new Map<number, number>();
      everyone.set(last, from);
      add(from, item);
    }
    lastOf.set(event.userId, item);
  }
  const where = new Map<string, { lat: number; lon: number }>();
  const frequency = (userId: string): Float64Array => {
    const scores = tie.slice();
    const counts = own.counts.get(userId);
    if (!counts) return scores;
    const total = sum(counts);
    for (const [item, count] of counts) scores[item] += count / total;
    return scores;
  };
  // One observer keeps the shared past: the methods are always asked together.
  const observe = (event: DatasetEvent): void => {
    own.observe(event.userId, of(event));
    const item = dataset.items.get(event.itemId);
    const lat = event.lat ?? item?.lat ?? null;
    const lon = event.lon ?? item?.lon ?? null;
    if (lat !== null && lon !== null) where.set(event.userId, { lat, lon });
  };
  const nothing = (): void => undefined;
  return [
    { name: "popularity", score: () => popular.slice(), observe },
    {
      name: "distance",
      score: ({ userId }) => {
        const from = where.get(userId);
        const scores = tie.slice();
        items.forEach(({ lat, lon }, i) => {
          scores[i] -= from && lat !== null && lon !== null ? distanceKm(from.lat, from.lon, lat, lon) : 1e6;
        });
        return scores;
      },
      observe: nothing,
    },
    { name: "frequency", score: ({ userId }) => frequency(userId), observe: nothing },
    {
      name: "frequencyMarkov",
      score: ({ userId }) => {
        const scores = frequency(userId);
        const last = own.last.get(userId);
        if (last === undefined) return scores;
        const mine = own.steps.get(userId)?.get(last);
        if (mine) {
          const total = sum(mine);
          for (const [item, count] of mine) scores[item] += count / (total + 2);
        }
        const theirs = everyone.get(last);
        if (theirs) {
          const total = sum(theirs);
          for (const [item, count] of theirs) scores[item] += (0.3 * count) / (total + 5);
        }
        return scores;
      },
      observe: nothing,
    },
    {
      name: "neighbours",
      score: ({ userId }) => {
        const scores = tie.slice();
        const last = own.last.get(userId);
        const theirs = last === undefined ? undefined : everyone.get(last);
        if (theirs) {
          const total = sum(theirs);
          for (const [item, count] of theirs) scores[item] += count / (total + 5);
        }
        return scores;
      },
      observe: nothing,
    },
  ];
}

/**
 * Rank of an item (from 1) by score among the products that count (all, unless said): as many places down as products are
 * above it, and half a place for each that scores the same, which is its mean rank over all orders of the ties.
 */
export function rankOf(
  scores: Float64Array,
  item: number,
  counts: (item: number) => boolean = () => true,
): number {
  const score = scores[item];
  let above = 0;
  let equal = 0;
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] < score || i === item || !counts(i)) continue;
    if (scores[i] > score) above++;
    else equal++;
  }
  return 1 + above + equal / 2;
}
