import type { EventType } from "../../shared/contracts/event.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { hourOf } from "../profile/profile.ts";
import { Random } from "../train/random.ts";
import { simulatedCategories } from "./categories.ts";
import { type SimulatedCity, simulatedCities } from "./cities.ts";
import {
  funnel,
  type HiddenProduct,
  type HiddenUser,
  type Season,
  situate,
  Truth,
  usual,
  utility,
} from "./truth.ts";

/** How large a marketplace to simulate. */
export interface SimulationSize {
  products: number;
  users: number;
  events: number;
  days: number;
  /** Of the demo's cities the first so many; all of them where it is not given. */
  cities?: number;
}

/** The demo that `npm start` loads. */
export const demoSize: SimulationSize = { products: 20_000, users: 2000, events: 212_000, days: 56 };

/** A simulated marketplace: what can be seen, and what lies behind. */
export interface Simulation {
  dataset: Dataset;
  users: HiddenUser[];
  truth: Truth;
}

const kmPerDegree = 111.2;

/** A point scattered around a centre, in km, by a normal distribution. */
function scatter(random: Random, lat: number, lon: number, km: number): { lat: number; lon: number } {
  const round = (value: number): number => Math.round(value * 1e5) / 1e5;
  return {
    lat: round(lat + (random.normal() * km) / kmPerDegree),
    lon: round(lon + (random.normal() * km) / (kmPerDegree * Math.cos((lat * Math.PI) / 180))),
  };
}

function makeProducts(random: Random, count: number, cities: readonly SimulatedCity[]): HiddenProduct[] {
  const weights = cities.map((_, i) => 1 / (1 + i / 12));
  // Each city has a few quarters, as cities have.
  const quarters = cities.map((city) =>
    Array.from({ length: 5 }, () => scatter(random, city.lat, city.lon, 3.5)),
  );
  return Array.from({ length: count }, (_, i) => {
    const where = i < cities.length ? i : random.weighted(weights);
    const city = cities[where];
    const category = random.below(simulatedCategories.length);
    const spec = simulatedCategories[category];
    const quarter = quarters[where][random.below(5)];
    const place = scatter(random, quarter.lat, quarter.lon, 0.9);
    const relative = 0.45 * random.normal();
    const raw = spec.price * city.level * Math.exp(relative);
    const step = raw > 1000 ? 10 : raw > 100 ? 1 : raw > 10 ? 0.1 : 0.05;
    const price = Math.round(Math.max(step, Math.round(raw / step) * step) * 100) / 100;
    const discount = random.next() < 0.2 ? [0.1, 0.2, 0.3, 0.5][random.below(4)] : 0;
    const quality = random.normal();
    const words = `${spec.adjectives[random.below(4)]} ${spec.nouns[random.below(4)]}`;
    return {
      category,
      ...place,
      quality,
      relativePrice: relative + Math.log(1 - discount),
      item: {
        id: `p${String(i + 1).padStart(5, "0")}`,
        title: `${words} ${city.name}`,
        category: spec.name,
        price,
        currency: city.currency,
        discount,
        rating:
          random.next() < 0.8
            ? Math.round(10 * Math.min(10, Math.max(1, 7 + 1.2 * quality + 0.8 * random.normal()))) / 10
            : null,
        ...place,
        attributes: { city: city.name, country: city.country },
      },
    };
  });
}

function makeUsers(random: Random, count: number, cities: readonly SimulatedCity[]): HiddenUser[] {
  const weights = cities.map((_, i) => 1 / (1 + i / 12));
  return Array.from({ length: count }, (_, i) => {
    const city = i < cities.length ? i : random.weighted(weights);
    const { lat, lon } = cities[city];
    return {
      id: `u${String(i + 1).padStart(4, "0")}`,
      city,
      ...scatter(random, lat, lon, 4),
      tastes: simulatedCategories.map(() => 1.1 * random.normal()),
      priceSensitivity: Math.exp(0.5 * random.normal()),
      reachKm: 0.8 * Math.exp(0.7 * random.normal()),
      loyalty: 0.8 + 0.8 * random.next(),
      travels: random.next() < 0.3 ? 0.12 : 0.01,
    };
  });
}

/** Products of a city, to choose among without looking at the rest. */
function byCity(products: readonly HiddenProduct[], cities: readonly SimulatedCity[]): number[][] {
  const lists: number[][] = cities.map(() => []);
  const index = new Map(cities.map((city, i) => [city.name, i]));
  products.forEach((product, i) => {
    const city = index.get(String(product.item.attributes.city));
    if (city !== undefined) lists[city].push(i);
  });
  return lists;
}

/** Simulates a marketplace whose last event is just before `now` (seconds). The same seed gives the same market. */
export function simulate(
  size: SimulationSize,
  seed: number,
  now: number,
  season: Season = usual,
): Simulation {
  const random = new Random(seed);
  const where = simulatedCities.slice(0, size.cities);
  const products = makeProducts(random, size.products, where);
  const users = makeUsers(random, size.users, where);
  const cities = byCity(products, where);
  const events: DatasetEvent[] = [];
  const activity = users.map(() => Math.exp(0.8 * random.normal()));
  const allActivity = activity.reduce((sum, each) => sum + each, 0);
  const start = now - size.days * 86_400;
  users.forEach((user, i) => {
    const quota = Math.max(5, Math.round((size.events * activity[i]) / allActivity));
    events.push(...life(random, user, { products, cities, season }, start, now - 60, quota));
  });
  events.sort((a, b) => a.time - b.time);
  const kept = events.slice(-size.events);
  const cut = (share: number): number => Math.floor(kept.length * share);
  return {
    users,
    dataset: {
      name: "demo",
      items: new Map(products.map(({ item }) => [item.id, item])),
      train: kept.slice(0, cut(0.8)),
      valid: kept.slice(cut(0.8), cut(0.9)),
      test: kept.slice(cut(0.9)),
      problems: [],
      refused: 0,
    },
    truth: new Truth(products),
  };
}

/** Products that a person looks over in one session. */
const lookedOver = 120;

/** One person's events: sessions of one to four choices at moments and places that suit them. */
function life(
  random: Random,
  user: HiddenUser,
  {
    products,
    cities,
    season,
  }: { products: readonly HiddenProduct[]; cities: readonly number[][]; season: Season },
  start: number,
  end: number,
  quota: number,
): DatasetEvent[] {
  const events: DatasetEvent[] = [];
  const bought = new Map<number, number>();
  const sessions = Math.max(2, Math.round(quota / 3.6));
  const times = Array.from({ length: sessions }, () => start + random.next() * (end - start)).sort(
    (a, b) => a - b,
  );
  for (const sessionTime of times) {
    const city = random.next() < user.travels ? random.below(cities.length) : user.city;
    const center = city === user.city ? user : simulatedCities[city];
    const place = scatter(random, center.lat, center.lon, city === user.city ? 1.5 : 3);
    let time = awake(random, sessionTime, place.lat, place.lon);
    let lastCategory = -1;
    const choices = 1 + random.below(3);
    for (let k = 0; k < choices && time < end && events.length < quota; k++) {
      const pool = [...bought.keys()].filter((i) => cities[city].includes(i)).slice(-30);
      while (pool.length < Math.min(lookedOver, cities[city].length))
        pool.push(cities[city][random.below(cities[city].length)]);
      const moment = situate({ time, ...place, lastCategory });
      const utilities = pool.map((i) =>
        utility(user, products[i], { ...moment, bought: bought.get(i) ?? 0 }, season),
      );
      const most = Math.max(...utilities);
      const chosen = random.weighted(utilities.map((each) => Math.exp(1.3 * (each - most))));
      const product = products[pool[chosen]];
      const push = (type: EventType): void => {
        events.push({ userId: user.id, itemId: product.item.id, type, time: Math.round(time), ...place });
        time += 15 + random.below(60);
      };
      push("view");
      const wish = utilities[chosen];
      if (random.next() < funnel.click(wish)) {
        push("click");
        if (random.next() < funnel.cart(wish)) {
          push("cart");
          if (random.next() < funnel.purchase(wish)) {
            push("purchase");
            bought.set(pool[chosen], (bought.get(pool[chosen]) ?? 0) + 1);
          }
        }
      } else if (wish < -2 && random.next() < 0.1) push("dismiss");
      lastCategory = product.category;
      time += 300 + random.below(2400);
    }
  }
  return events.filter((event) => event.time < end);
}

/** Moves a moment at which people sleep into the day after. */
function awake(random: Random, time: number, lat: number, lon: number): number {
  const hour = hourOf(time + localOffset(lat, lon, time));
  return hour < 6 && random.next() < 0.9 ? time + (7 - hour) * 3600 : time;
}
