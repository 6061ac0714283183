import { Random } from "../../model/train/random.ts";
import type { EventInput, EventType } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { center } from "./shop.ts";

const productCount = 60;
const categories = ["books", "coffee", "flowers", "music"];
const userCount = 150;
/** Choices of a user in the week before the attacks. */
const choicesPerUser = 12;
/** Exponent of the popularity of products, by their number. */
const popularityExponent = 0.7;
/** Angle in radians that spreads products evenly. */
const goldenAngle = 2.399963;
/** Radius of the shop in degrees of latitude: 2 km. */
const radiusDegrees = 0.018;

export const productId = (n: number): string => `p${n}`;

/** The products of the shop: p0 is the most popular. */
export const products: readonly ProductChange[] = Array.from({ length: productCount }, (_, n) => {
  // Products of neighboring numbers are far apart, so that popularity and distance are independent.
  const place = (n * 37) % productCount;
  const offset = radiusDegrees * Math.sqrt((place + 0.5) / productCount);
  return {
    ...{ productId: productId(n), version: 1, deleted: false, title: `Product ${n}` },
    ...{ category: categories[n % categories.length], priceMinor: 400, currency: "EUR", discount: 0 },
    ...{ rating: null, available: true, groupId: null, previousCell: null, createdAt: 1_700_000_000 },
    location: {
      lat: center.lat + offset * Math.cos(place * goldenAngle),
      lon: center.lon + (offset * Math.sin(place * goldenAngle)) / Math.cos((center.lat * Math.PI) / 180),
    },
  };
});

const types: readonly EventType[] = ["view", "view", "click", "view", "purchase"];

/** Returns a week of history of users whom a server key vouches for, up to `now` in seconds. */
export function honestHistory(now: number): EventInput[] {
  const random = new Random(7);
  const weights = products.map((_, n) => 1 / (n + 1) ** popularityExponent);
  const total = weights.reduce((sum, each) => sum + each, 0);
  const chosen = (): number => {
    let left = random.next() * total;
    for (const [n, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return n;
    }
    return 0;
  };
  const events = Array.from({ length: userCount * choicesPerUser }, (_, i) => ({
    eventId: `h${i}`,
    userId: `honest${i % userCount}`,
    type: types[random.below(types.length)],
    productId: productId(chosen()),
    time: now - random.next() * 6.9 * 86_400,
  }));
  return events
    .sort((a, b) => a.time - b.time)
    .map(({ time, ...event }) => ({ ...event, timestamp: new Date(time * 1000).toISOString() }));
}

/** Honest users near the products, and where they are. */
export const observers: readonly { userId: string; location: Point }[] = [
  { userId: "honest3", location: center },
  { userId: "honest40", location: { lat: center.lat + 0.004, lon: center.lon } },
  { userId: "honest77", location: { lat: center.lat, lon: center.lon - 0.006 } },
  { userId: "honest111", location: { lat: center.lat - 0.005, lon: center.lon + 0.004 } },
  { userId: "new-user", location: { lat: center.lat + 0.002, lon: center.lon + 0.002 } },
];
