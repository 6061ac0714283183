import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { BulkReport, ProductWithTotals } from "../../shared/contracts/product.ts";
import type { RecommendationAnswer, RecommendationList } from "../../shared/contracts/recommendation.ts";
import { startWithProducts } from "../support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "../support/ndjson.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 30);
const [viewed, bought, dismissed] = ["oslo-4", "oslo-5", "oslo-6"];
let eventCount = 0;

const event = (userId: string, type: string, productId: string, minutesAgo = 0) => ({
  eventId: `e${eventCount++}`,
  userId,
  type,
  productId,
  timestamp: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
});
type SentEvent = ReturnType<typeof event>;

async function send(...events: SentEvent[]): Promise<void> {
  const { body } = await stack.call<EventReceipt>("POST", "/v1/events", { body: { events } });
  expect(body).toMatchObject({ accepted: events.length });
}
async function importEvents(events: SentEvent[]): Promise<void> {
  const body = toNdjson(events);
  const { body: report } = await stack.call<BulkReport>("POST", "/v1/events/bulk", {
    body,
    headers: ndjsonHeaders,
  });
  expect(report).toMatchObject({ accepted: events.length });
}
/** Returns the ids of the products recommended to a user, best first. */
async function recommended(userId: string, more: object = {}): Promise<string[]> {
  const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
    body: { userId, location: oslo, limit: 100, ...more },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.items.map(({ productId }) => productId);
}

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

describe("a dismissal", () => {
  it("L6: hides the product in all of the user's lists, and only in theirs", async () => {
    for (let i = 0; i < 3; i++) {
      const [first] = await recommended("ann");
      await send(event("ann", "view", first), event("ann", "dismiss", first));
      expect(await recommended("ann")).not.toContain(first);
    }
    const shown = await recommended("ann");
    expect(shown).toHaveLength(products.length - 3);
    const { body } = await stack.call<RecommendationAnswer>(
      "GET",
      `/v1/users/ann/recommendations?lat=${oslo.lat}&lon=${oslo.lon}&limit=100`,
    );
    expect(new Set(body.items.map(({ productId }) => productId))).toEqual(new Set(shown));
    expect(await recommended("ben")).toHaveLength(products.length);
  });

  it("L6: no longer hides after a click, or after the configured days", async () => {
    const [first] = await recommended("cleo");
    await send(event("cleo", "dismiss", first));
    expect(await recommended("cleo")).not.toContain(first);
    await send(event("cleo", "click", first));
    expect(await recommended("cleo")).toContain(first);
    await importEvents([event("dora", "dismiss", first, 200 * 24 * 60)]);
    expect(await recommended("dora")).toContain(first);
  });
});

describe("a purchase", () => {
  it("L7: fades the product, or hides or keeps it as the request says", async () => {
    const [first] = await recommended("emil");
    await send(event("emil", "purchase", first));
    expect((await recommended("emil")).at(-1)).toBe(first);
    expect(await recommended("emil", { purchased: "hide" })).not.toContain(first);
    expect((await recommended("emil", { purchased: "keep" })).indexOf(first)).toBeLessThan(5);
    const refused = await stack.call("POST", "/v1/recommendations", {
      body: { userId: "emil", purchased: "never" },
    });
    expect(refused.status).toBe(400);
  });

  it("L7: keeps what the user buys again and again", async () => {
    const weekly = [29, 22, 15, 8, 1].map((days) => event("finn", "purchase", "oslo-9", days * 24 * 60));
    await importEvents(weekly);
    expect((await recommended("finn")).indexOf("oslo-9")).toBeLessThan(5);
  });
});

describe("the lists for everybody", () => {
  it("L9: count people: 12 buyers are above 200 views of one user, and above 50 dismissals", async () => {
    await importEvents([
      ...Array.from({ length: 200 }, (_, i) => event("fan", "view", viewed, i)),
      ...Array.from({ length: 200 }, (_, i) => event("fan", "view", viewed, 60 * i)),
      ...Array.from({ length: 12 }, (_, i) => event(`buyer-${i}`, "purchase", bought, i)),
      ...Array.from({ length: 50 }, (_, i) => event(`critic-${i}`, "dismiss", dismissed, i)),
    ]);
    const { body } = await stack.call<ProductWithTotals>("GET", `/v1/products/${viewed}`);
    expect(body.totals.view).toBeLessThanOrEqual(201);
    expect(body.totals.people).toBe(1);
    const trending = async () => {
      const { body: list } = await stack.call<RecommendationList>(
        "GET",
        `/v1/trending?lat=${oslo.lat}&lon=${oslo.lon}&limit=50`,
      );
      return list.items;
    };
    const counted = await pollUntil(trending, ([first]) => first.score > 0, 60);
    const ids = counted.map(({ productId }) => productId);
    expect(ids[0]).toBe(bought);
    expect(ids.indexOf(viewed)).toBeLessThan(ids.indexOf(dismissed));
    const forNewUser = await recommended("gus");
    expect(forNewUser.indexOf(bought)).toBeLessThan(forNewUser.indexOf(viewed));
    expect(forNewUser.indexOf(bought)).toBeLessThan(forNewUser.indexOf(dismissed));
  });
});
