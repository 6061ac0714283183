import { describe, expect, it } from "vitest";
import { Random } from "../../model/train/random.ts";
import { eventInput } from "../../shared/contracts/event.ts";
import { productInput } from "../../shared/contracts/product.ts";
import { busiestCity, EventSource, lastVisits } from "./demo-visits.ts";

const product = (id: string, city: string) =>
  productInput.parse({ id, title: id, category: "tea", price: null, attributes: { city } });
const event = (userId: string, productId: string, lat: number) => ({
  eventId: `${userId}.${productId}.${lat}`,
  userId,
  productId,
  type: "view" as const,
  location: { lat, lon: 2.5 },
});
const marketplace = {
  products: [product("p1", "Paris"), product("p2", "Paris"), product("p3", "Oslo")],
  events: [
    event("u1", "p3", 59.5),
    event("u1", "p1", 48.5),
    event("u2", "p2", 48.6),
    event("u3", "p3", 59.6),
  ],
};

describe("lastVisits", () => {
  it("is where each user's last event was, with all products of the city", () => {
    expect(lastVisits(marketplace)).toEqual([
      { userId: "u1", point: { lat: 48.5, lon: 2.5 }, city: "Paris", products: ["p1", "p2"] },
      { userId: "u2", point: { lat: 48.6, lon: 2.5 }, city: "Paris", products: ["p1", "p2"] },
      { userId: "u3", point: { lat: 59.6, lon: 2.5 }, city: "Oslo", products: ["p3"] },
    ]);
  });

  it("finds the city with most users", () => {
    expect(busiestCity(lastVisits(marketplace)).map(({ userId }) => userId)).toEqual(["u1", "u2"]);
    expect(busiestCity([])).toEqual([]);
  });
});

describe("EventSource", () => {
  const visits = lastVisits(marketplace);

  it("gives each request different users, at their places, with products of their city", () => {
    const source = new EventSource(visits, new Random(1), "run");
    for (let request = 0; request < 5; request++) {
      const events = source.take(3, 1_700_000_000);
      expect(new Set(events.map(({ userId }) => userId)).size).toBe(3);
      for (const each of events) {
        expect(eventInput.parse(each)).toEqual(each);
        const visit = visits.find(({ userId }) => userId === each.userId);
        expect(each.location).toEqual(visit?.point);
        expect(visit?.products).toContain(each.productId);
        expect(each.timestamp).toBe("2023-11-14T22:13:20.000Z");
      }
    }
  });

  it("never gives an id twice, and the same events for the same seed", () => {
    const take = (run: string) => {
      const source = new EventSource(visits, new Random(1), run);
      return Array.from({ length: 50 }, () => source.take(2, 0)).flat();
    };
    expect(new Set([...take("a"), ...take("b")].map(({ eventId }) => eventId)).size).toBe(200);
    expect(take("a")).toEqual(take("a"));
  });

  it("gives no user twice in a request if there are fewer users than events", () => {
    expect(new EventSource(visits, new Random(1), "run").take(20, 0)).toHaveLength(3);
  });
});
