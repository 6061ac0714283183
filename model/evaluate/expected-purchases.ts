import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import type { DatasetEvent } from "../data/dataset.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { startsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { type CountingRules, tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { simulatedCategories } from "../simulate/categories.ts";
import { type Situation, utilityTermNames } from "../simulate/ground-truth.ts";
import type { Simulation } from "../simulate/simulate.ts";
import { bootstrapInterval, type ConfidenceInterval } from "./metrics.ts";

/** Expected purchases per 100 recommended products. */
export interface ExpectedPurchases {
  /** Number of judged lists per method. */
  lists: number;
  /** Expected purchases per 100 products of the best possible lists, made with the hidden preferences. */
  optimum: number;
  /** Mean terms of the utility of the best lists' products. */
  utilityTerms: Record<string, number>;
  methods: Record<string, MethodPurchases>;
}

/** Expected purchases from one method's lists. */
export interface MethodPurchases {
  /** Expected purchases per 100 products. */
  per100: number;
  /** `per100` relative to the optimum. */
  shareOfOptimum: number;
  /** 95% bootstrap interval of `shareOfOptimum`, resampled by user. */
  ci: ConfidenceInterval | null;
  /** Mean terms of the utility of the listed products. */
  utilityTerms: Record<string, number>;
}

/** Products per list. */
const listLength = 10;
/** Test events between two calls of `onProgress`. */
const eventsPerProgress = 64;

/**
 * Measures the expected purchases of recommendations on a simulated marketplace. For up to about `maxLists` evenly
 * spaced test events, each ranker returns a list of ten products through the serving pipeline. The ground truth gives
 * the probability that the user buys each product in this situation, and the best possible list of the whole catalog.
 * Requests state the user's location, as those of an app do; this is not the location of the chosen product. Users count
 * for others by `counting`.
 */
export async function expectedPurchases(
  { dataset, users, truth }: Simulation,
  rankers: Readonly<Record<string, Ranker>>,
  maxLists: number,
  clock: () => number,
  onProgress: (done: number, total: number) => void,
  counting?: CountingRules,
): Promise<ExpectedPurchases> {
  const past = [...dataset.train, ...dataset.valid];
  const snapshotTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(tilePyramidAfter(dataset, past, snapshotTime, counting), () => snapshotTime),
  );
  const sessions = new SessionTracker();
  const usersById = new Map(users.map((user) => [user.id, user]));
  const observe = (event: DatasetEvent): void => {
    replay.applyEvent(event);
    sessions.observe(event, dataset.items.get(event.itemId)?.category);
  };
  for (const event of past) observe(event);

  const step = Math.max(1, Math.floor(dataset.test.length / maxLists));
  const userIds: string[] = [];
  const optimum: number[] = [];
  const termMeans = new UtilityTermMeans();
  const purchasesByMethod: Record<string, number[]> = Object.fromEntries(
    Object.keys(rankers).map((name) => [name, []]),
  );
  for (const [i, event] of dataset.test.entries()) {
    const { userId, time, lat, lon } = event;
    const user = usersById.get(userId);
    if (
      i % step === 0 &&
      user &&
      lat !== null &&
      lon !== null &&
      startsEpisode(replay.profile(userId), event)
    ) {
      const situation: Situation = { time, lat, lon, lastCategory: sessions.lastCategory(event) };
      const purchaseCounts = sessions.purchaseCounts(userId);
      userIds.push(userId);
      const judgeList = (name: string, list: readonly string[]): number => {
        for (const id of list) termMeans.add(name, truth.utilityTerms(user, id, situation, purchaseCounts));
        return total(list.map((id) => truth.purchaseProbability(user, id, situation, purchaseCounts)));
      };
      optimum.push(judgeList("optimum", truth.bestProducts(user, situation, purchaseCounts, listLength)));
      for (const [name, ranker] of Object.entries(rankers)) {
        const request = { userId, time, point: { lat, lon }, limit: listLength };
        const { items } = await replay.recommend(request, ranker, clock);
        purchasesByMethod[name].push(
          judgeList(
            name,
            items.map(({ productId }) => productId),
          ),
        );
      }
    }
    observe(event);
    if (i % eventsPerProgress === 0) onProgress(i, dataset.test.length);
  }
  const per100 = (values: readonly number[]): number =>
    (100 * total(values)) / Math.max(1, values.length * listLength);
  const best = per100(optimum);
  return {
    lists: userIds.length,
    optimum: best,
    utilityTerms: termMeans.mean("optimum"),
    methods: Object.fromEntries(
      Object.entries(purchasesByMethod).map(([name, values]) => [
        name,
        {
          per100: per100(values),
          shareOfOptimum: per100(values) / best,
          ci: bootstrapInterval(values, userIds, optimum),
          utilityTerms: termMeans.mean(name),
        },
      ]),
    ),
  };
}

/** Averages utility terms by method. */
class UtilityTermMeans {
  readonly #sums = new Map<string, { terms: number[]; count: number }>();

  add(name: string, terms: readonly number[]): void {
    const sum = this.#sums.get(name) ?? { terms: utilityTermNames.map(() => 0), count: 0 };
    this.#sums.set(name, sum);
    for (const [i, term] of terms.entries()) sum.terms[i] += term;
    sum.count++;
  }

  mean(name: string): Record<string, number> {
    const sum = this.#sums.get(name);
    return Object.fromEntries(
      utilityTermNames.map((term, i) => [term, sum ? sum.terms[i] / Math.max(1, sum.count) : 0]),
    );
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Tracks what the ground truth needs from past events: purchase counts, and the last category of a session. */
class SessionTracker {
  readonly #purchaseCounts = new Map<string, Map<string, number>>();
  readonly #last = new Map<string, { lat: number | null; lon: number | null; category: number }>();

  observe({ userId, itemId, type, lat, lon }: DatasetEvent, category: string | undefined): void {
    if (type === "purchase") {
      const own = this.#purchaseCounts.get(userId) ?? new Map<string, number>();
      this.#purchaseCounts.set(userId, own.set(itemId, (own.get(itemId) ?? 0) + 1));
    }
    const index = simulatedCategories.findIndex(({ name }) => name === category);
    this.#last.set(userId, { lat, lon, category: index });
  }

  purchaseCounts(userId: string): ReadonlyMap<string, number> {
    return this.#purchaseCounts.get(userId) ?? new Map();
  }

  /**
   * Returns the category of the user's last event if it belongs to the same session, otherwise -1. A simulated session
   * stays at one exact location that no other session has.
   */
  lastCategory({ userId, lat, lon }: DatasetEvent): number {
    const last = this.#last.get(userId);
    return last && last.lat === lat && last.lon === lon ? last.category : -1;
  }
}
