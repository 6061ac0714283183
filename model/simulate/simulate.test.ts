import { describe, expect, it } from "vitest";
import { allEvents } from "../data/dataset.ts";
import { simulatedCities } from "./cities.ts";
import { simulate } from "./simulate.ts";
import type { Season, Truth } from "./truth.ts";

const size = { products: 1500, users: 150, events: 6000, days: 30 };
const now = 1_760_000_000;

describe("simulate", () => {
  const { dataset, users: people, truth } = simulate(size, 1, now);

  it("gives the same marketplace for the same seed, another for another", () => {
    expect(simulate(size, 1, now).dataset).toEqual(dataset);
    expect(simulate(size, 2, now).dataset.train).not.toEqual(dataset.train);
  });

  it("spreads over the world's cities and ends now", () => {
    expect(simulatedCities.length).toBeGreaterThanOrEqual(40);
    const cities = new Set([...dataset.items.values()].map((item) => item.attributes.city));
    expect(cities.size).toBe(simulatedCities.length);
    const events = allEvents(dataset);
    expect(events.length).toBeGreaterThan(size.events * 0.7);
    expect(Math.max(...events.map((event) => event.time))).toBeLessThan(now);
    expect(new Set(events.map((event) => event.type))).toEqual(
      new Set(["view", "click", "cart", "purchase", "dismiss"]),
    );
  });

  it("makes people act on their tastes: what they buy they would buy more likely than what they only could", () => {
    const byId = new Map(people.map((user) => [user.id, user]));
    const ids = [...dataset.items.keys()];
    let better = 0;
    let asked = 0;
    allEvents(dataset)
      .filter((event) => event.type === "purchase")
      .forEach((event, i) => {
        const user = byId.get(event.userId);
        const item = dataset.items.get(event.itemId);
        const other = dataset.items.get(ids[(i * 7919) % ids.length]);
        if (
          !user ||
          !item ||
          !other ||
          other.attributes.city !== item.attributes.city ||
          event.lat === null ||
          event.lon === null
        )
          return;
        const wish = (id: string): number =>
          truth.purchaseProbability(
            user,
            id,
            { time: event.time, lat: event.lat ?? 0, lon: event.lon ?? 0, lastCategory: -1 },
            new Map(),
          );
        asked++;
        if (wish(event.itemId) > wish(other.id)) better++;
      });
    expect(better / asked).toBeGreaterThan(0.8);
  });

  it("knows the best list: nothing in the catalogue would be bought more likely", () => {
    const user = people[0];
    const moment = { time: now - 3600, lat: user.lat, lon: user.lon, lastCategory: 2 };
    const bought = new Map([[[...dataset.items.keys()][3], 2]]);
    const every = [...dataset.items.keys()]
      .map((id) => truth.purchaseProbability(user, id, moment, bought))
      .sort((a, b) => b - a);
    expect(
      truth.best(user, moment, bought, 10).map((id) => truth.purchaseProbability(user, id, moment, bought)),
    ).toEqual(every.slice(0, 10));
    expect(every[0]).toBeLessThan(1);
    expect(every.at(-1)).toBeGreaterThan(0);
    expect(truth.purchaseProbability(user, "unheard-of", moment, bought)).toBe(0);
  });

  it("has seasons: the same people want other things, in what they do and in what is best for them", () => {
    const sales: Season = { weights: { loyalty: -1 }, discount: 8 };
    const bought = (season?: Season): number => {
      const market = simulate(size, 1, now, season);
      const purchases = allEvents(market.dataset).filter(({ type }) => type === "purchase");
      const reduced = purchases.filter(
        ({ itemId }) => (market.dataset.items.get(itemId)?.discount ?? 0) > 0,
      ).length;
      return reduced / purchases.length;
    };
    expect(bought(sales)).toBeGreaterThan(1.5 * bought());
    const user = people[0];
    const moment = { time: now - 3600, lat: user.lat, lon: user.lon, lastCategory: -1 };
    const [reduced] = [...dataset.items.values()].filter(({ discount }) => discount > 0);
    const wish = (t: Truth, often: number): number =>
      t.purchaseProbability(user, reduced.id, moment, new Map([[reduced.id, often]]));
    expect(wish(truth.in(sales), 0)).toBeGreaterThan(wish(truth, 0));
    expect(wish(truth, 3)).toBeGreaterThan(wish(truth, 0));
    expect(wish(truth.in(sales), 3)).toBeLessThan(wish(truth.in(sales), 0));
  });

  it("may have fewer cities", () => {
    const { dataset: small } = simulate({ ...size, cities: 2 }, 1, now);
    expect(new Set([...small.items.values()].map(({ attributes }) => attributes.city)).size).toBe(2);
    const lived = allEvents(small).map(({ itemId }) => small.items.has(itemId));
    expect(lived.every(Boolean)).toBe(true);
  });
});
