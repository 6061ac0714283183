import { inMemoryCandidates } from "../candidate-sources/candidate-store.ts";
import type { DatasetEvent } from "../data/dataset.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { beginsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { worldAfter } from "../replay/world.ts";
import { simulatedCategories } from "../simulate/categories.ts";
import type { Simulation } from "../simulate/simulate.ts";
import { type Moment, utilityParts } from "../simulate/truth.ts";
import { type Interval, interval } from "./metrics.ts";

/** Purchases to be expected of every 100 products that are recommended. */
export interface ExpectedPurchases {
  questions: number;
  /** By the best lists that there are, which know everything. */
  optimum: number;
  /** Of what the wish for a shown product of the best lists is made, on average. */
  wish: Record<string, number>;
  methods: Record<string, PurchasesOfMethod>;
}

/** What one method's lists bring, also as a share of the optimum with its 95% interval (bootstrap over people). */
export interface PurchasesOfMethod {
  per100: number;
  ofOptimum: number;
  ci: Interval | null;
  /** Of what the wish for a shown product is made, on average. */
  wish: Record<string, number>;
}

const listLength = 10;

/**
 * What recommendations are worth on a simulated marketplace: for moments of its test part, lists of ten by each ranker
 * through the serving pipeline, judged by the true probability that this person, here and now, buys what is shown; beside
 * the best lists over the whole catalogue. The question carries the place, as an app's does: it is where the person is, not
 * where the chosen product is. `most` questions are drawn evenly from the test part.
 */
export async function expectedPurchases(
  { dataset, users: people, truth }: Simulation,
  rankers: Readonly<Record<string, Ranker>>,
  most: number,
  clock: () => number,
  onProgress: (done: number, total: number) => void,
): Promise<ExpectedPurchases> {
  const past = [...dataset.train, ...dataset.valid];
  const worldTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inMemoryCandidates(worldAfter(dataset, past, worldTime), () => worldTime),
  );
  const session = new Sessions();
  const hidden = new Map(people.map((person) => [person.id, person]));
  const observe = (event: DatasetEvent): void => {
    replay.observe(event);
    session.observe(event, dataset.items.get(event.itemId)?.category);
  };
  for (const event of past) observe(event);

  const step = Math.max(1, Math.floor(dataset.test.length / most));
  const asked: string[] = [];
  const optimum: number[] = [];
  const wishes = new Wishes();
  const worth: Record<string, number[]> = Object.fromEntries(Object.keys(rankers).map((name) => [name, []]));
  for (const [i, event] of dataset.test.entries()) {
    const { userId, time, lat, lon } = event;
    const person = hidden.get(userId);
    if (
      i % step === 0 &&
      person &&
      lat !== null &&
      lon !== null &&
      beginsEpisode(replay.person(userId), event)
    ) {
      const moment: Moment = { time, lat, lon, lastCategory: session.lastCategory(event) };
      const bought = session.bought(userId);
      asked.push(userId);
      const judge = (name: string, list: readonly string[]): number => {
        for (const id of list) wishes.add(name, truth.wish(person, id, moment, bought));
        return total(list.map((id) => truth.purchaseProbability(person, id, moment, bought)));
      };
      optimum.push(judge("optimum", truth.best(person, moment, bought, listLength)));
      for (const [name, ranker] of Object.entries(rankers)) {
        const question = { userId, time, point: { lat, lon }, limit: listLength };
        const { items } = await replay.ask(question, ranker, clock);
        worth[name].push(
          judge(
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
    questions: asked.length,
    optimum: best,
    wish: wishes.mean("optimum"),
    methods: Object.fromEntries(
      Object.entries(worth).map(([name, values]) => [
        name,
        {
          per100: per100(values),
          ofOptimum: per100(values) / best,
          ci: interval(values, asked, optimum),
          wish: wishes.mean(name),
        },
      ]),
    ),
  };
}

/** Mean parts of wishes, by who showed the products. */
class Wishes {
  readonly #sums = new Map<string, { parts: number[]; count: number }>();

  add(name: string, parts: readonly number[]): void {
    const sum = this.#sums.get(name) ?? { parts: utilityParts.map(() => 0), count: 0 };
    this.#sums.set(name, sum);
    for (const [i, part] of parts.entries()) sum.parts[i] += part;
    sum.count++;
  }

  mean(name: string): Record<string, number> {
    const sum = this.#sums.get(name);
    return Object.fromEntries(
      utilityParts.map((part, i) => [part, sum ? sum.parts[i] / Math.max(1, sum.count) : 0]),
    );
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What the truth depends on and a log of events tells: purchases, and the last category of a session. */
class Sessions {
  readonly #bought = new Map<string, Map<string, number>>();
  readonly #last = new Map<string, { lat: number | null; lon: number | null; category: number }>();

  observe({ userId, itemId, type, lat, lon }: DatasetEvent, category: string | undefined): void {
    if (type === "purchase") {
      const own = this.#bought.get(userId) ?? new Map<string, number>();
      this.#bought.set(userId, own.set(itemId, (own.get(itemId) ?? 0) + 1));
    }
    const index = simulatedCategories.findIndex(({ name }) => name === category);
    this.#last.set(userId, { lat, lon, category: index });
  }

  bought(userId: string): ReadonlyMap<string, number> {
    return this.#bought.get(userId) ?? new Map();
  }

  /** A session of the simulation stays at one exact place, and no two share one. */
  lastCategory({ userId, lat, lon }: DatasetEvent): number {
    const last = this.#last.get(userId);
    return last && last.lat === lat && last.lon === lon ? last.category : -1;
  }
}
