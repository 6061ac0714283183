import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventReceipt } from "../shared/contracts/event.ts";
import type { NearbyAnswer } from "../shared/contracts/location.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { Point } from "../shared/contracts/primitives.ts";
import type { BulkReport, ProductWithTotals } from "../shared/contracts/product.ts";
import { type RecommendationAnswer, recommendationAnswer } from "../shared/contracts/recommendation.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import { importProducts, waitForNearbyProducts } from "./support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, lima, oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";

const stack = new TestStack(exactByDefault);
const osloProducts = generateProducts("oslo", oslo, 80);
const limaProducts = generateProducts("lima", lima, 80);
const products = [...osloProducts, ...limaProducts];

const recommend = async (userId: string, location: Point, more: object = {}) => {
  const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
    key: "dev-server-key",
    body: { userId, location, limit: 10, ...more },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return recommendationAnswer.parse(body);
};
const send = (events: object[], key = "dev-server-key") =>
  stack.call<EventReceipt>("POST", "/v1/events", { key, body: { events } });
const nearby = async ({ lat, lon }: Point, limit: number) =>
  (await stack.call<NearbyAnswer>("GET", `/v1/locations/nearby?lat=${lat}&lon=${lon}&limit=${limit}`)).body;

beforeAll(async () => {
  await stack.start();
  await importProducts(stack, products);
  await waitForNearbyProducts(stack, oslo, osloProducts);
  await waitForNearbyProducts(stack, lima, limaProducts);
});
afterAll(() => stack.stop());

describe("the stack", () => {
  it("is ready and returns nearby products of each city, sorted by distance", async () => {
    const { status, body } = await stack.call("GET", "/readyz", { key: "" });
    expect(status, JSON.stringify(body)).toBe(200);
    for (const [center, name] of [
      [oslo, "oslo"],
      [lima, "lima"],
    ] as const) {
      const { items } = await nearby(center, 80);
      expect(items).toHaveLength(80);
      expect(items.every(({ productId }) => productId.startsWith(name))).toBe(true);
      const distances = items.map((item) => item.distanceKm);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
    }
  });

  it("recommends products near each of two locations of a user, with correct distances", async () => {
    const locations = new Map(products.map(({ id, location }) => [id, location]));
    for (const [center, name, city] of [
      [oslo, "oslo", "Oslo"],
      [lima, "lima", "Lima"],
    ] as const) {
      const { items, location, model, stages } = await recommend("traveler", center);
      expect(items).toHaveLength(10);
      expect(location).toMatchObject({ city, source: "request", precision: "exact" });
      expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(stages.length).toBeGreaterThan(0);
      for (const item of items) {
        expect(item.productId.startsWith(name)).toBe(true);
        const at = locations.get(item.productId);
        expect(item.distanceKm).toBeCloseTo(
          at ? distanceKm(center.lat, center.lon, at.lat, at.lon) : Number.NaN,
          2,
        );
      }
      expect(items.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
  });

  it("ranks a category higher immediately after the user viewed its products", async () => {
    const share = ({ items }: RecommendationAnswer) =>
      items.reduce((sum, { product, rank }) => sum + (product.category === "flowers" ? 1 / rank : 0), 0);
    const before = await recommend("florist", oslo);
    const viewed = products.filter(({ id, category }) => id.startsWith("oslo") && category === "flowers");
    const events = viewed.slice(0, 5).map(({ id }, i) => ({
      eventId: `florist-${i}`,
      userId: "florist",
      type: "view",
      productId: id,
      location: oslo,
    }));
    expect((await send(events)).body.accepted).toBe(5);
    expect(share(await recommend("florist", oslo))).toBeGreaterThan(share(before));
  });

  it("stores each event exactly once when a client sends it three times", async () => {
    const hour = Math.floor(Date.now() / 3_600_000) - 1;
    const events = Array.from({ length: 30 }, (_, i) => ({
      eventId: `shopper-${i}`,
      userId: `shopper-${i % 3}`,
      type: i % 2 ? "view" : "purchase",
      productId: "oslo-7",
      timestamp: new Date(hour * 3_600_000 + i * 1000).toISOString(),
    }));
    const receipts = [await send(events), await send(events), await send(events)];
    expect(receipts.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(receipts.map(({ body: { accepted, duplicates } }) => [accepted, duplicates])).toEqual([
      [30, 0],
      [0, 30],
      [0, 30],
    ]);
    const { body: product } = await pollUntil(
      () => stack.call<ProductWithTotals>("GET", "/v1/products/oslo-7"),
      ({ body: { totals } }) => totals.view + totals.purchase >= 6,
    );
    expect(product.totals).toMatchObject({ view: 3, purchase: 3, people: 3, buyers: 3 });
    for (const user of [0, 1, 2]) {
      const { body } = await stack.call<Page<UserInteraction>>(
        "GET",
        `/v1/users/shopper-${user}/interactions?limit=100`,
      );
      const ids = body.items.map(({ eventId }) => eventId).sort();
      expect(ids).toEqual(
        events
          .filter((_, i) => i % 3 === user)
          .map(({ eventId }) => eventId)
          .sort(),
      );
    }
  });

  it("shows a new price and drops an unavailable product within ten seconds", async () => {
    const first = (await recommend("browser", lima)).items[0].productId;
    expect((await stack.call("PATCH", `/v1/products/${first}`, { body: { price: 777 } })).status).toBe(200);
    const priced = await pollUntil(
      () => recommend("browser", lima, { limit: 100 }),
      ({ items }) => items.some(({ productId, product }) => productId === first && product.price === 777),
    );
    expect(priced.items.find(({ productId }) => productId === first)?.product.price).toBe(777);

    expect((await stack.call("PATCH", `/v1/products/${first}`, { body: { available: false } })).status).toBe(
      200,
    );
    const without = await pollUntil(
      () => recommend("browser", lima, { limit: 100 }),
      ({ items }) => items.every(({ productId }) => productId !== first),
    );
    expect(without.items.map(({ productId }) => productId)).not.toContain(first);
  });

  it("imports the valid lines of a file and reports the invalid ones", async () => {
    const event = (i: number) => ({
      eventId: `past-${i}`,
      userId: "past-user",
      type: "view",
      productId: "oslo-1",
      timestamp: "2025-01-01T00:00:00Z",
    });
    const body = `${toNdjson([event(1), event(2)])}\n{"eventId":\n${toNdjson([{ ...event(3), type: "stare" }, event(4)])}`;
    const first = await stack.call<BulkReport>("POST", "/v1/events/bulk", { body, headers: ndjsonHeaders });
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ received: 5, accepted: 3, rejected: 2 });
    expect(first.body.errors.map(({ line }) => line)).toEqual([3, 4]);
    const again = await stack.call<BulkReport>("POST", "/v1/events/bulk", { body, headers: ndjsonHeaders });
    expect(again.body).toMatchObject({ accepted: 0, duplicates: 3 });
    const history = await stack.call<Page<UserInteraction>>("GET", "/v1/users/past-user/interactions");
    expect(history.body.items.map(({ eventId }) => eventId).sort()).toEqual(["past-1", "past-2", "past-4"]);
  });
});
