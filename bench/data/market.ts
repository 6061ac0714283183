import { allEvents, type Dataset, type DatasetItem } from "../../model/data/dataset.ts";
import { simulatedCities } from "../../model/simulate/cities.ts";
import { simulate } from "../../model/simulate/simulate.ts";
import { Random } from "../../model/train/random.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** Products of a city on average, at least: so many that as many candidates are there as the model ranks. */
const productsPerCity = 800;
/** People, and events of each on average: enough for everyone to have a history. */
const userCount = 2000;
const eventsPerUser = 30;
const days = 56;
const seed = 11;

/** A generated marketplace. */
export interface GeneratedMarket {
  dataset: Dataset;
  /** Who has a history, and where they were: one for each event. */
  pastOrigins: RequestOrigin[];
}

/** More are made than are wanted, since chance decides how many are in a city. */
const oversampling = 1.15;

/** Share of everything that the first cities have, as the simulation spreads it. */
function shareOfFirstCities(cities: number): number {
  const sum = (count: number): number =>
    Array.from({ length: count }, (_, i) => 1 / (1 + i / 12)).reduce((all, each) => all + each, 0);
  return sum(cities) / sum(simulatedCities.length);
}

/**
 * A simulated marketplace of so many products, whose last event is just before `now` (seconds). A small one is in fewer
 * cities rather than thinner in each, so that as many candidates are ranked in it as in a large one.
 */
export function generateMarket(products: number, now: number): GeneratedMarket {
  const cities = simulatedCities.slice(0, Math.max(1, Math.floor(products / productsPerCity)));
  const share = shareOfFirstCities(cities.length);
  const size = {
    products: Math.ceil((products * oversampling) / share),
    users: Math.ceil((userCount * oversampling) / share),
    events: Math.ceil((userCount * eventsPerUser) / share),
    days,
  };
  const { dataset } = simulate(size, seed, now);
  const names = new Set(cities.map(({ name }) => name));
  const items = new Map<string, DatasetItem>();
  for (const [id, item] of dataset.items)
    if (items.size < products && names.has(String(item.attributes.city))) items.set(id, item);
  const events = allEvents(dataset).filter(({ itemId }) => items.has(itemId));
  const users = [...new Set(events.map(({ userId }) => userId))].sort().slice(0, userCount);
  const chosen = new Set(users);
  const train = events.filter(({ userId }) => chosen.has(userId));
  const stays = train.flatMap(({ userId, lat, lon }) =>
    lat === null || lon === null ? [] : [{ userId, point: { lat, lon } }],
  );
  return {
    dataset: { ...dataset, name: `bench-${products}`, items, train, valid: [], test: [] },
    pastOrigins: stays,
  };
}

/** Who asks, and where they are. */
export interface RequestOrigin {
  userId: string;
  point: Point;
}

/** How far from where they were people ask, in km: the standard deviation. */
const spreadKm = 1;
const kmPerDegree = 111.2;
const round = (degrees: number): number => Math.round(degrees * 1e5) / 1e5;

/** Random people about where they were at random moments, all over the world; the same seed gives the same visits. */
export function sampleRequestOrigins(
  { pastOrigins: stays }: Pick<GeneratedMarket, "pastOrigins">,
  count: number,
  visitSeed: number,
): RequestOrigin[] {
  const random = new Random(visitSeed);
  return Array.from({ length: count }, () => {
    const { userId, point } = stays[random.below(stays.length)];
    const north = (random.normal() * spreadKm) / kmPerDegree;
    const east = (random.normal() * spreadKm) / (kmPerDegree * Math.cos((point.lat * Math.PI) / 180));
    return { userId, point: { lat: round(point.lat + north), lon: round(point.lon + east) } };
  });
}
