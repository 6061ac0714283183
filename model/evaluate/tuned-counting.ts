import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { squaredChord, squaredKmOfSquaredChord, unitVectors } from "../../shared/geo/sphere.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { evaluatedOn } from "../data/evaluated-part.ts";
import { Random } from "../train/random.ts";
import type { Baseline } from "./baselines/baseline.ts";

/** The parameters of tuned counting. Weights are relative to the user's own decayed frequency, whose shares sum to 1. */
export interface CountingParameters {
  /** Choices after which an own choice counts half. */
  halfLife: number;
  /** Weight of the user's transitions from the last product. */
  ownNext: number;
  /** Weight of all users' transitions from the last product. */
  everyoneNext: number;
  /** Weight of the user's transitions from the last two products. */
  afterTwo: number;
  /** How much more an own choice counts at this hour of the day: 1 + `hour` times a Gaussian of 1.5 h. */
  hour: number;
  /** Weight of products near the user's last location: popular, and within a few kilometers. */
  near: number;
}

/** Values that the search tries, by parameter. The first of each is the start. */
const grid: Readonly<Record<keyof CountingParameters, readonly number[]>> = {
  halfLife: [100, 10, 30, 300, 3000],
  ownNext: [1, 0, 0.3, 0.6, 2],
  everyoneNext: [0.3, 0, 0.1, 1, 3],
  afterTwo: [0.3, 0, 1, 2],
  hour: [1, 0, 3, 10, 30],
  near: [0.03, 0, 0.003, 0.01, 0.1, 0.3],
};
const parameterNames = Object.keys(grid) as (keyof CountingParameters)[];
/** Passes of the coordinate search over all parameters. */
const searchPasses = 2;
/** Validation events that the search asks, at most. */
const maxSearchEvents = 600;
const searchSeed = 5;

const bandwidthHours = 1.5;
const hourKernel = Float64Array.from({ length: 24 }, (_, hours) => {
  const apart = Math.min(hours, 24 - hours);
  return Math.exp((-apart * apart) / (2 * bandwidthHours * bandwidthHours));
});
/** Distance at which `near` has fallen to 1/e. */
const nearKm = 1;
const maxNearChord = 1e-5;
const smoothing = { own: 2, everyone: 5 } as const;

/** A user's choices in order. */
interface UserChoices {
  items: number[];
  /** Local hour of each. */
  hours: number[];
  /** Location of the last; null if unknown. */
  at: { lat: number; lon: number } | null;
}

/** What all users did before the asked events. */
interface EveryoneCounts {
  popularity: Float64Array;
  next: ReadonlyMap<number, ReadonlyMap<number, number>>;
}

/** The catalog as numbers. */
class Catalog {
  readonly index: ReadonlyMap<string, number>;
  readonly vectors: Float64Array;
  readonly size: number;
  readonly #items: readonly { lat: number | null; lon: number | null }[];

  constructor({ items }: Pick<Dataset, "items">) {
    this.#items = [...items.values()];
    this.size = this.#items.length;
    this.index = new Map([...items.keys()].map((id, i) => [id, i]));
    this.vectors = unitVectors(
      this.#items.map(({ lat }) => lat ?? Number.NaN),
      this.#items.map(({ lon }) => lon ?? Number.NaN),
      this.size,
    );
  }

  /** Returns the location of an event: the user's, else the product's. */
  locationOf({ itemId, lat, lon }: DatasetEvent): UserChoices["at"] {
    if (lat !== null && lon !== null) return { lat, lon };
    const item = this.#items[this.index.get(itemId) ?? -1];
    return item && item.lat !== null && item.lon !== null ? { lat: item.lat, lon: item.lon } : null;
  }
}

const hourAt = (at: UserChoices["at"], time: number): number =>
  localHourOf(time + utcOffsetAt(at?.lat ?? null, at?.lon ?? null, time));

/** The choices of each user, which grow with the observed events. */
class Histories {
  readonly #users = new Map<string, UserChoices>();
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  of(userId: string): UserChoices {
    return this.#users.get(userId) ?? { items: [], hours: [], at: null };
  }

  observe(event: DatasetEvent): void {
    if (event.type === "dismiss") return;
    const user = this.of(event.userId);
    this.#users.set(event.userId, user);
    user.at = this.#catalog.locationOf(event) ?? user.at;
    user.items.push(this.#catalog.index.get(event.itemId) as number);
    user.hours.push(hourAt(user.at, event.time));
  }
}

function countEveryone(catalog: Catalog, past: readonly DatasetEvent[]): EveryoneCounts {
  const popularity = new Float64Array(catalog.size);
  const next = new Map<number, Map<number, number>>();
  const last = new Map<string, number>();
  for (const { userId, itemId, type } of past) {
    if (type === "dismiss") continue;
    const item = catalog.index.get(itemId) as number;
    popularity[item]++;
    const from = last.get(userId);
    last.set(userId, item);
    if (from === undefined) continue;
    const counts = next.get(from) ?? new Map<number, number>();
    next.set(from, counts.set(item, (counts.get(item) ?? 0) + 1));
  }
  return { popularity, next };
}

/** Returns the score of each product for a user at an hour. */
function scoresOf(
  { items, hours, at }: UserChoices,
  hour: number,
  catalog: Catalog,
  { popularity, next }: EveryoneCounts,
  parameters: CountingParameters,
): Float64Array {
  const scores = new Float64Array(catalog.size);
  const n = items.length;
  const retention = 2 ** (-1 / parameters.halfLife);
  const last = items[n - 1];
  let mass = 0;
  let nextCount = 0;
  let afterTwoCount = 0;
  let weight = 1;
  for (let j = n - 1; j >= 0; j--, weight *= retention) {
    mass += weight;
    if (j === 0 || items[j - 1] !== last) continue;
    nextCount++;
    if (j > 1 && items[j - 2] === items[n - 2]) afterTwoCount++;
  }
  weight = 1;
  for (let j = n - 1; j >= 0; j--, weight *= retention) {
    const item = items[j];
    scores[item] += (weight / mass) * (1 + parameters.hour * hourKernel[Math.abs(hours[j] - hour)]);
    if (j === 0 || items[j - 1] !== last) continue;
    scores[item] += parameters.ownNext / (nextCount + smoothing.own);
    if (j > 1 && items[j - 2] === items[n - 2]) scores[item] += parameters.afterTwo / (afterTwoCount + 1);
  }
  const following = last === undefined ? undefined : next.get(last);
  if (following) {
    const total = [...following.values()].reduce((sum, count) => sum + count, 0);
    for (const [item, count] of following)
      scores[item] += (parameters.everyoneNext * count) / (total + smoothing.everyone);
  }
  const here = at && unitVectors([at.lat], [at.lon], 1);
  const maxPopularity = popularity.reduce((a, b) => Math.max(a, b), 1);
  for (let item = 0; item < catalog.size; item++) {
    // Popularity breaks ties, by less than any other difference.
    scores[item] += (1e-9 * popularity[item]) / maxPopularity;
    if (!here || parameters.near === 0) continue;
    const squared = squaredChord(here, 0, catalog.vectors, item);
    if (!(squared < maxNearChord)) continue;
    const km = Math.sqrt(squaredKmOfSquaredChord(squared));
    scores[item] += parameters.near * Math.exp(-km / nearKm) * (0.2 + popularity[item] / maxPopularity);
  }
  return scores;
}

const rankOfItem = (scores: Float64Array, item: number): number => {
  let rank = 1;
  for (let i = 0; i < scores.length; i++) if (scores[i] > scores[item]) rank++;
  return rank;
};

/**
 * Returns the parameters with the highest NDCG@10 on the validation part, counting from the training part alone: a coordinate
 * search over fixed values. It never reads the test part.
 */
export function tuneCounting(dataset: Dataset): CountingParameters {
  const { train, test: valid } = evaluatedOn(dataset, "valid");
  const catalog = new Catalog(dataset);
  const byTime = [...train].sort((a, b) => a.time - b.time);
  const everyone = countEveryone(catalog, byTime);
  const histories = new Histories(catalog);
  for (const event of byTime) histories.observe(event);
  const random = new Random(searchSeed);
  const share = maxSearchEvents / Math.max(1, valid.length);
  const asked: { user: UserChoices; hour: number; item: number }[] = [];
  for (const event of [...valid].sort((a, b) => a.time - b.time)) {
    const { items, hours, at } = histories.of(event.userId);
    if (event.type !== "dismiss" && random.next() < share)
      asked.push({
        user: { items: [...items], hours: [...hours], at },
        hour: hourAt(at, event.time),
        item: catalog.index.get(event.itemId) as number,
      });
    histories.observe(event);
  }
  const quality = (parameters: CountingParameters): number => {
    let sum = 0;
    for (const { user, hour, item } of asked) {
      const rank = rankOfItem(scoresOf(user, hour, catalog, everyone, parameters), item);
      if (rank <= 10) sum += 1 / Math.log2(rank + 1);
    }
    return sum;
  };
  let best = Object.fromEntries(
    parameterNames.map((name) => [name, grid[name][0]]),
  ) as unknown as CountingParameters;
  let bestQuality = quality(best);
  for (let pass = 0; pass < searchPasses; pass++)
    for (const name of parameterNames) {
      const start = best;
      for (const value of grid[name]) {
        if (value === start[name]) continue;
        const tried = { ...start, [name]: value };
        const triedQuality = quality(tried);
        if (triedQuality <= bestQuality) continue;
        best = tried;
        bestQuality = triedQuality;
      }
    }
  return best;
}

/**
 * Returns the strongest method without a trained model: six parameters, chosen on validation data ({@link tuneCounting}), weigh
 * the user's own decayed frequency at this hour, transitions by the user and by all, and popular products nearby. Counts of all users come
 * from `past` alone; a user's own grow with every observed event.
 */
export function tunedCounting(
  dataset: Dataset,
  past: readonly DatasetEvent[],
  parameters: CountingParameters = tuneCounting(dataset),
): Baseline {
  const catalog = new Catalog(dataset);
  const everyone = countEveryone(catalog, past);
  const histories = new Histories(catalog);
  return {
    name: "tunedCounting",
    score: ({ userId, time }) => {
      const user = histories.of(userId);
      return scoresOf(user, hourAt(user.at, time), catalog, everyone, parameters);
    },
    observe: (event) => histories.observe(event),
  };
}
