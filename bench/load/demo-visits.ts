import type { Random } from "../../model/train/random.ts";
import type { Marketplace } from "../../scripts/marketplace/marketplace.ts";
import { type EventInput, eventTypes } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** Where a user of a marketplace was last, and the products of the city there. */
export interface Visit {
  userId: string;
  /** Place of the user's last event, so that a new event there is one that the user can have made. */
  point: Point;
  city: string;
  products: readonly string[];
}

/** Returns the last visit of each user, in the order of the marketplace's events. Products name their city. */
export function lastVisits({ products, events }: Pick<Marketplace, "products" | "events">): Visit[] {
  const cities = new Map(products.map(({ id, attributes }) => [id, String(attributes?.city ?? "")]));
  const productsOf = new Map<string, string[]>();
  for (const [id, city] of cities) {
    const own = productsOf.get(city) ?? [];
    productsOf.set(city, own);
    own.push(id);
  }
  const last = new Map<string, Visit>();
  for (const { userId, productId, location } of events) {
    const city = cities.get(productId);
    if (!location || city === undefined) continue;
    last.set(userId, { userId, point: location, city, products: productsOf.get(city) ?? [] });
  }
  return [...last.values()];
}

/** Returns the visits in the city that has most of them. */
export function busiestCity(visits: readonly Visit[]): Visit[] {
  const byCity = Map.groupBy(visits, ({ city }) => city);
  return [...byCity.values()].reduce((most, own) => (own.length > most.length ? own : most), []);
}

/**
 * Makes new events of users where they last were: each request has different users, in an order that the generator
 * chose, and every event has an id of its own.
 */
export class EventSource {
  readonly #visits: readonly Visit[];
  readonly #random: Random;
  readonly #run: string;
  #next = 0;

  /** `run` is a part of all ids, so that two runs never send the same event. */
  constructor(visits: readonly Visit[], random: Random, run: string) {
    if (visits.length === 0) throw new Error("There are no users with a location to send events of.");
    this.#visits = random.shuffle([...visits]);
    this.#random = random;
    this.#run = run;
  }

  /** Returns `count` events of different users, or of all users if there are fewer. `now` is in seconds since the epoch. */
  take(count: number, now: number): EventInput[] {
    return Array.from({ length: Math.min(count, this.#visits.length) }, () => {
      const number = this.#next++;
      const { userId, point, products } = this.#visits[number % this.#visits.length];
      return {
        eventId: `${this.#run}.${number}`,
        userId,
        type: eventTypes[this.#random.below(3)],
        productId: products[this.#random.below(products.length)],
        timestamp: new Date(now * 1000).toISOString(),
        location: point,
      };
    });
  }
}
