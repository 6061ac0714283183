import { describe, expect, it } from "vitest";
import { allEvents } from "../data/dataset.ts";
import { simulatedCities } from "./cities.ts";
import { simulate } from "./simulate.ts";

const size = { products: 1500, people: 150, events: 6000, days: 30 };
const now = 1_760_000_000;

describe("simulate", () => {
  const { dataset, people, purchaseProbability } = simulate(size, 1, now);

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
    const byId = new Map(people.map((person) => [person.id, person]));
    const ids = [...dataset.items.keys()];
    let better = 0;
    let asked = 0;
    allEvents(dataset)
      .filter((event) => event.type === "purchase")
      .forEach((event, i) => {
        const person = byId.get(event.userId);
        const item = dataset.items.get(event.itemId);
        const other = dataset.items.get(ids[(i * 7919) % ids.length]);
        if (
          !person ||
          !item ||
          !other ||
          other.attributes.city !== item.attributes.city ||
          event.lat === null ||
          event.lon === null
        )
          return;
        const wish = (id: string): number =>
          purchaseProbability(person, id, event.time, event.lat ?? 0, event.lon ?? 0, 0);
        asked++;
        if (wish(event.itemId) > wish(other.id)) better++;
      });
    expect(better / asked).toBeGreaterThan(0.8);
  });
});
