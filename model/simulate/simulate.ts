import type { EventType } from "../../shared/contracts/event.ts";
import { decimalOf, nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { Random } from "../train/random.ts";
import { simulatedCategories } from "./categories.ts";
import { type SimulatedCity, simulatedCities } from "./cities.ts";
import {
  funnelProbability,
  GroundTruth,
  neutralSeason,
  type Season,
  type SimulatedProduct,
  type SimulatedUser,
  utility,
  withLocalTime,
} from "./ground-truth.ts";

/** The size of a simulated marketplace. */
export interface SimulationSize {
  products: number;
  users: number;
  events: number;
  /** Length of the simulated history. */
  days: number;
  /** Number of cities, taken from the start of {@link simulatedCities}; default: all. */
  cities?: number;
  /** Standard deviation of the logarithm of the users' activity; default: {@link usualActivitySpread}. */
  activitySpread?: number;
}

/** A tenth of the users is 2.8 times as active as the middle one, or more. */
const usualActivitySpread = 0.8;

/** The size of the demo marketplace that `npm start` loads. */
export const demoSize: SimulationSize = { products: 20_000, users: 2000, events: 212_000, days: 56 };

/** A simulated marketplace: the observable dataset, and the hidden users and utilities behind it. */
export interface Simulation {
  dataset: Dataset;
  users: SimulatedUser[];
  truth: GroundTruth;
}

/** Length of one degree of latitude, in kilometers. */
const kmPerDegree = 111.2;

/** Districts per city; products cluster in them. */
const districtsPerCity = 5;
/** Standard deviations of locations around their centers, in kilometers. */
const spreadKm = { districts: 3.5, products: 0.9, homes: 4, sessionsAtHome: 1.5, sessionsAway: 3 };
/** The weight of a city is 1 / (1 + index / cityDecay). */
const cityDecay = 12;
/** Share of the products with a discount, and the discounts. */
const discountShare = 0.2;
const discounts = [0.1, 0.2, 0.3, 0.5];
/** Share of the products with a rating. */
const ratedShare = 0.8;
/** Products that a user compares before a choice, and how many of them may be earlier purchases. */
const productsPerChoice = 120;
const maxRepurchaseCandidates = 30;
/** Factor on utilities in the choice probabilities: higher means more deliberate choices. */
const choiceSharpness = 1.3;
/** A session has one, two or three choices; a choice gives several events. */
const maxChoicesPerSession = 3;
const meanEventsPerSession = 3.6;
/** A user dismisses some of the viewed products below this utility. */
const dismissBelowUtility = -2;
const dismissProbability = 0.1;

/** Returns a point around a center; both offsets are normal with a standard deviation of `km` kilometers. */
function scatter(random: Random, lat: number, lon: number, km: number): { lat: number; lon: number } {
  const round = (value: number): number => Math.round(value * 1e5) / 1e5;
  return {
    lat: round(lat + (random.normal() * km) / kmPerDegree),
    lon: round(lon + (random.normal() * km) / (kmPerDegree * Math.cos((lat * Math.PI) / 180))),
  };
}

/** Returns the relative number of products and users of each city. */
export const cityWeights = (cities: readonly SimulatedCity[]): number[] =>
  cities.map((_, i) => 1 / (1 + i / cityDecay));

function generateProducts(
  random: Random,
  count: number,
  cities: readonly SimulatedCity[],
): SimulatedProduct[] {
  const weights = cityWeights(cities);
  const districts = cities.map((city) =>
    Array.from({ length: districtsPerCity }, () => scatter(random, city.lat, city.lon, spreadKm.districts)),
  );
  return Array.from({ length: count }, (_, i) => {
    const cityIndex = i < cities.length ? i : random.weightedIndex(weights);
    const city = cities[cityIndex];
    const category = random.below(simulatedCategories.length);
    const spec = simulatedCategories[category];
    const district = districts[cityIndex][random.below(districtsPerCity)];
    const place = scatter(random, district.lat, district.lon, spreadKm.products);
    const relative = 0.45 * random.normal();
    const raw = spec.price * city.priceLevel * Math.exp(relative);
    // Prices end in round amounts, as in shops.
    const step = raw > 1000 ? 10 : raw > 100 ? 1 : raw > 10 ? 0.1 : 0.05;
    const rounded = Math.max(step, Math.round(raw / step) * step);
    const price = decimalOf(nearestMinorUnits(rounded, city.currency), city.currency);
    const discount = random.next() < discountShare ? discounts[random.below(discounts.length)] : 0;
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
          random.next() < ratedShare
            ? Math.round(10 * Math.min(10, Math.max(1, 7 + 1.2 * quality + 0.8 * random.normal()))) / 10
            : null,
        ...place,
        attributes: { city: city.name, country: city.country },
      },
    };
  });
}

function generateUsers(random: Random, count: number, cities: readonly SimulatedCity[]): SimulatedUser[] {
  const weights = cityWeights(cities);
  return Array.from({ length: count }, (_, i) => {
    const city = i < cities.length ? i : random.weightedIndex(weights);
    const { lat, lon } = cities[city];
    return {
      id: `u${String(i + 1).padStart(4, "0")}`,
      city,
      ...scatter(random, lat, lon, spreadKm.homes),
      tastes: simulatedCategories.map(() => 1.1 * random.normal()),
      priceSensitivity: Math.exp(0.5 * random.normal()),
      reachKm: 0.8 * Math.exp(0.7 * random.normal()),
      loyalty: 0.8 + 0.8 * random.next(),
      awayShare: random.next() < 0.3 ? 0.12 : 0.01,
    };
  });
}

/** Returns the indices of each city's products. */
function productsByCity(products: readonly SimulatedProduct[], cities: readonly SimulatedCity[]): number[][] {
  const lists: number[][] = cities.map(() => []);
  const index = new Map(cities.map((city, i) => [city.name, i]));
  products.forEach((product, i) => {
    const city = index.get(String(product.item.attributes.city));
    if (city !== undefined) lists[city].push(i);
  });
  return lists;
}

/**
 * Simulates a marketplace whose last event is just before `now` (seconds since the epoch). The same seed gives the same
 * marketplace.
 */
export function simulate(
  size: SimulationSize,
  seed: number,
  now: number,
  season: Season = neutralSeason,
): Simulation {
  const random = new Random(seed);
  const cities = simulatedCities.slice(0, size.cities);
  const products = generateProducts(random, size.products, cities);
  const users = generateUsers(random, size.users, cities);
  const productsOfCity = productsByCity(products, cities);
  const events: DatasetEvent[] = [];
  const activitySpread = size.activitySpread ?? usualActivitySpread;
  const activity = users.map(() => Math.exp(activitySpread * random.normal()));
  const totalActivity = activity.reduce((sum, each) => sum + each, 0);
  const start = now - size.days * 86_400;
  users.forEach((user, i) => {
    const quota = Math.max(5, Math.round((size.events * activity[i]) / totalActivity));
    events.push(
      ...generateEvents(random, user, { products, cities: productsOfCity, season }, start, now - 60, quota),
    );
  });
  events.sort((a, b) => a.time - b.time);
  const newest = events.slice(-size.events);
  const cut = (share: number): number => Math.floor(newest.length * share);
  return {
    users,
    dataset: {
      name: "demo",
      items: new Map(products.map(({ item }) => [item.id, item])),
      train: newest.slice(0, cut(0.8)),
      valid: newest.slice(cut(0.8), cut(0.9)),
      test: newest.slice(cut(0.9)),
      problems: [],
      rejectedRows: 0,
    },
    truth: new GroundTruth(products),
  };
}

/** Returns one user's events between `start` and `end`, about `quota` of them, in sessions at one location each. */
function generateEvents(
  random: Random,
  user: SimulatedUser,
  {
    products,
    cities,
    season,
  }: { products: readonly SimulatedProduct[]; cities: readonly number[][]; season: Season },
  start: number,
  end: number,
  quota: number,
): DatasetEvent[] {
  const events: DatasetEvent[] = [];
  const bought = new Map<number, number>();
  const sessions = Math.max(2, Math.round(quota / meanEventsPerSession));
  const times = Array.from({ length: sessions }, () => start + random.next() * (end - start)).sort(
    (a, b) => a - b,
  );
  for (const sessionTime of times) {
    const city = random.next() < user.awayShare ? random.below(cities.length) : user.city;
    const center = city === user.city ? user : simulatedCities[city];
    const place = scatter(
      random,
      center.lat,
      center.lon,
      city === user.city ? spreadKm.sessionsAtHome : spreadKm.sessionsAway,
    );
    let time = shiftOutOfNight(random, sessionTime, place.lat, place.lon);
    let lastCategory = -1;
    const choices = 1 + random.below(maxChoicesPerSession);
    for (let k = 0; k < choices && time < end && events.length < quota; k++) {
      const pool = [...bought.keys()].filter((i) => cities[city].includes(i)).slice(-maxRepurchaseCandidates);
      while (pool.length < Math.min(productsPerChoice, cities[city].length))
        pool.push(cities[city][random.below(cities[city].length)]);
      const situation = withLocalTime({ time, ...place, lastCategory });
      const utilities = pool.map((i) =>
        utility(user, products[i], { ...situation, bought: bought.get(i) ?? 0 }, season),
      );
      const maxUtility = Math.max(...utilities);
      const chosen = random.weightedIndex(
        utilities.map((each) => Math.exp(choiceSharpness * (each - maxUtility))),
      );
      const product = products[pool[chosen]];
      const push = (type: EventType): void => {
        events.push({ userId: user.id, itemId: product.item.id, type, time: Math.round(time), ...place });
        time += 15 + random.below(60);
      };
      push("view");
      const chosenUtility = utilities[chosen];
      if (random.next() < funnelProbability.click(chosenUtility)) {
        push("click");
        if (random.next() < funnelProbability.cart(chosenUtility)) {
          push("cart");
          if (random.next() < funnelProbability.purchase(chosenUtility)) {
            push("purchase");
            bought.set(pool[chosen], (bought.get(pool[chosen]) ?? 0) + 1);
          }
        }
      } else if (chosenUtility < dismissBelowUtility && random.next() < dismissProbability) push("dismiss");
      lastCategory = product.category;
      time += 300 + random.below(2400);
    }
  }
  return events.filter((event) => event.time < end);
}

/** Returns `time`, moved from the local night (0-6 h) to 7 h in most cases. */
function shiftOutOfNight(random: Random, time: number, lat: number, lon: number): number {
  const hour = localHourOf(time + utcOffsetAt(lat, lon, time));
  return hour < 6 && random.next() < 0.9 ? time + (7 - hour) * 3600 : time;
}
