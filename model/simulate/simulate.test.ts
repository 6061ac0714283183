import { describe, expect, it } from "vitest";
import { allEvents } from "../data/dataset.ts";
import { simulatedCities } from "./cities.ts";
import type { GroundTruth, Season } from "./ground-truth.ts";
import { simulate } from "./simulate.ts";

const size = { products: 1500, users: 150, events: 6000, days: 30 };
const now = 1_760_000_000;

describe("simulate", () => {
  const { dataset, users, truth } = simulate(size, 1, now);

  it("returns the same marketplace for the same seed and another for another seed", () => {
    expect(simulate(size, 1, now).dataset).toEqual(dataset);
    expect(simulate(size, 2, now).dataset.train).not.toEqual(dataset.train);
  });

  it("covers all cities and ends before now", () => {
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

  it("makes users buy products with a higher purchase probability than other products of the city", () => {
    const byId = new Map(users.map((user) => [user.id, user]));
    const ids = [...dataset.items.keys()];
    let better = 0;
    let compared = 0;
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
        const probability = (id: string): number =>
          truth.purchaseProbability(
            user,
            id,
            { time: event.time, lat: event.lat ?? 0, lon: event.lon ?? 0, lastCategory: -1 },
            new Map(),
          );
        compared++;
        if (probability(event.itemId) > probability(other.id)) better++;
      });
    expect(better / compared).toBeGreaterThan(0.8);
  });

  it("bestProducts returns the products with the highest purchase probabilities of the catalog", () => {
    const user = users[0];
    const situation = { time: now - 3600, lat: user.lat, lon: user.lon, lastCategory: 2 };
    const bought = new Map([[[...dataset.items.keys()][3], 2]]);
    const every = [...dataset.items.keys()]
      .map((id) => truth.purchaseProbability(user, id, situation, bought))
      .sort((a, b) => b - a);
    expect(
      truth
        .bestProducts(user, situation, bought, 10)
        .map((id) => truth.purchaseProbability(user, id, situation, bought)),
    ).toEqual(every.slice(0, 10));
    expect(every[0]).toBeLessThan(1);
    expect(every.at(-1)).toBeGreaterThan(0);
    expect(truth.purchaseProbability(user, "unknown", situation, bought)).toBe(0);
  });

  it("applies a season to the events and to the ground truth", () => {
    const sales: Season = { weights: { loyalty: -1 }, discount: 8 };
    const discountedShare = (season?: Season): number => {
      const market = simulate(size, 1, now, season);
      const purchases = allEvents(market.dataset).filter(({ type }) => type === "purchase");
      const discounted = purchases.filter(
        ({ itemId }) => (market.dataset.items.get(itemId)?.discount ?? 0) > 0,
      ).length;
      return discounted / purchases.length;
    };
    expect(discountedShare(sales)).toBeGreaterThan(1.5 * discountedShare());
    const user = users[0];
    const situation = { time: now - 3600, lat: user.lat, lon: user.lon, lastCategory: -1 };
    const [product] = [...dataset.items.values()].filter(({ discount }) => discount > 0);
    const probability = (groundTruth: GroundTruth, purchases: number): number =>
      groundTruth.purchaseProbability(user, product.id, situation, new Map([[product.id, purchases]]));
    expect(probability(truth.inSeason(sales), 0)).toBeGreaterThan(probability(truth, 0));
    expect(probability(truth, 3)).toBeGreaterThan(probability(truth, 0));
    expect(probability(truth.inSeason(sales), 3)).toBeLessThan(probability(truth.inSeason(sales), 0));
  });

  it("limits the marketplace to the first cities", () => {
    const { dataset: small } = simulate({ ...size, cities: 2 }, 1, now);
    expect(new Set([...small.items.values()].map(({ attributes }) => attributes.city)).size).toBe(2);
    const known = allEvents(small).map(({ itemId }) => small.items.has(itemId));
    expect(known.every(Boolean)).toBe(true);
  });
});
