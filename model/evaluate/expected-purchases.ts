import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import type { DatasetEvent } from "../data/dataset.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { startsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { simulatedCategories } from "../simulate/categories.ts";
import type { Simulation } from "../simulate/simulate.ts";
import { type Situation, utilityTermNames } from "../simulate/ground-truth.ts";
import { type ConfidenceInterval, bootstrapInterval } from "./metrics.ts";

/** Purchases to be expected of every 100 products that are recommended. */
export interface ExpectedPurchases {
  lists: number;
  /** By the best lists that there are, which know everything. */
  optimum: number;
  /** Of what the wish for a shown product of the best lists is made, on average. */
  utilityTerms: Record<string, number>;
  methods: Record<string, MethodPurchases>;
}

/** What one method's lists bring, also as a share of the optimum with its 95% interval (bootstrap over people). */
export interface MethodPurchases {
  per100: number;
  shareOfOptimum: number;
  ci: ConfidenceInterval | null;
  /** Of what the wish for a shown product is made, on average. */
  utilityTerms: Record<string, number>;
}

const listLength = 10;

/**
 * What recommendations are worth on a simulated marketplace: for moments of its test part, lists of ten by each ranker
 * through the serving pipeline, judged by the true probability that this person, here and now, buys what is shown; beside
 * the best lists over the whole catalogue. The question carries the place, as an app's does: it is where the person is, not
 * where the chosen product is. `most` questions are drawn evenly from the test part.
 */
export async function expectedPurchases(
  { dataset, users: users, truth }: Simulation,
  rankers: Readonly<Record<string, Ranker>>,
  maxLists: number,
  clock: () => number,
  onProgress: (done: number, total: number) => void,
): Promise<ExpectedPurchases> {
  const past = [...dataset.train, ...dataset.valid];
  const worldTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(tilePyramidAfter(dataset, past, worldTime), () => worldTime),
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
  const purchasesByMethod: Record<string, number[]> = Object.fromEntries(Object.keys(rankers).map((name) => [name, []]));
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
        const question = { userId, time, point: { lat, lon }, limit: listLength };
        const { items } = await replay.recommend(question, ranker, clock);
        purchasesByMethod[name].push(
          judgeList(
            name,
            items.map(({ productId }) => productId),
          ),
        );
      }
    }
    observe(event);
    if (i % 64 === 0) onProgress(i, dataset.test.length);
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
          ofOptimum: per100(values) / best,
          ci: bootstrapInterval(values, userIds, optimum),
          wish: termMeans.mean(name),
        },
      ]),
    ),
  };
}

/** Mean parts of wishes, by who showed the products. */
class UtilityTermMeans {
  readonly #sums = new Map<string, { parts: number[]; count: number }>();

  add(name: string, parts: readonly number[]): void {
    const sum = this.#sums.get(name) ?? { parts: utilityTermNames.map(() => 0), count: 0 };
    this.#sums.set(name, sum);
    for (const [i, part] of parts.entries()) sum.parts[i] += part;
    sum.count++;
  }

  mean(name: string): Record<string, number> {
    const sum = this.#sums.get(name);
    return Object.fromEntries(
      utilityTermNames.map((part, i) => [part, sum ? sum.parts[i] / Math.max(1, sum.count) : 0]),
    );
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What the truth depends on and a log of events tells: purchases, and the last category of a session. */
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

  /** A session of the simulation stays at one exact place, and no two share one. */
  lastCategory({ userId, lat, lon }: DatasetEvent): number {
    const last = this.#last.get(userId);
    return last && last.lat === lat && last.lon === lon ? last.category : -1;
  }
}
