import { allEvents, type Dataset, type DatasetItem } from "../../model/data/dataset.ts";
import { simulatedCities } from "../../model/simulate/cities.ts";
import { cityWeights, simulate } from "../../model/simulate/simulate.ts";
import { Random } from "../../model/train/random.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** Minimum mean number of products per city, so that a city has as many candidates as the model ranks. */
const productsPerCity = 800;
/** Number of users, and mean number of events per user: enough for each user to have a history. */
const userCount = 2000;
const eventsPerUser = 30;
const days = 56;
const seed = 11;

/** Factor by which more is simulated than needed, since the number per city is random. */
const oversampling = 1.15;

/** A generated marketplace. */
export interface GeneratedMarket {
  dataset: Dataset;
  /** The user and location of each event. */
  pastOrigins: RequestOrigin[];
}

/** Returns the share of all products and users that the simulation puts into the first `count` cities. */
function shareOfFirstCities(count: number): number {
  const weights = cityWeights(simulatedCities);
  const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);
  return sum(weights.slice(0, count)) / sum(weights);
}

/**
 * Simulates a market with a number of products, whose last event is just before `now` (seconds). A small market covers
 * fewer cities with the same density, so that the model ranks as many candidates as in a large one.
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
  const keptUsers = new Set(users);
  const train = events.filter(({ userId }) => keptUsers.has(userId));
  const pastOrigins = train.flatMap(({ userId, lat, lon }) =>
    lat === null || lon === null ? [] : [{ userId, point: { lat, lon } }],
  );
  return {
    dataset: { ...dataset, name: `bench-${products}`, items, train, valid: [], test: [] },
    pastOrigins,
  };
}

/** A user who requests recommendations, and the location of the request. */
export interface RequestOrigin {
  userId: string;
  point: Point;
}

/** Standard deviation of the distance between a past location and a request, in kilometers. */
const spreadKm = 1;
const kmPerDegree = 111.2;
const round = (degrees: number): number => Math.round(degrees * 1e5) / 1e5;

/**
 * Returns the origins of `count` requests: random users, each near one of their past locations. A seed fixes the
 * result.
 */
export function sampleRequestOrigins(
  { pastOrigins }: Pick<GeneratedMarket, "pastOrigins">,
  count: number,
  originSeed: number,
): RequestOrigin[] {
  const random = new Random(originSeed);
  return Array.from({ length: count }, () => {
    const { userId, point } = pastOrigins[random.below(pastOrigins.length)];
    const north = (random.normal() * spreadKm) / kmPerDegree;
    const east = (random.normal() * spreadKm) / (kmPerDegree * Math.cos((point.lat * Math.PI) / 180));
    return { userId, point: { lat: round(point.lat + north), lon: round(point.lon + east) } };
  });
}
