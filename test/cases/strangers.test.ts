import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IssuedToken } from "../../shared/contracts/credential.ts";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { ProductWithTotals } from "../../shared/contracts/product.ts";
import type { RecommendationList } from "../../shared/contracts/recommendation.ts";
import { importProducts, startWithProducts, waitForNearbyProducts } from "../support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "../support/ndjson.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 30);
const publicKey = "dev-publishable-key";
/** Anonymous sessions that the test opens: fewer than an address may open in a minute. */
const sessionCount = 8;
let events = 0;

const event = (userId: string, type: string, productId: string, minutesAgo = 0) => ({
  ...{ eventId: `e${events++}`, userId, type, productId },
  timestamp: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
});
type SentEvent = ReturnType<typeof event>;
const send = (key: string, ...list: SentEvent[]) =>
  stack.call<EventReceipt>("POST", "/v1/events", { key, body: { events: list } });
const importEvents = (list: SentEvent[]) =>
  stack.call("POST", "/v1/events/bulk", { body: toNdjson(list), headers: ndjsonHeaders });
const tokenOf = async (userId: string): Promise<string> =>
  (await stack.call<IssuedToken>("POST", "/v1/tokens", { body: { userId } })).body.token;
async function openSession(): Promise<{ userId: string; token: string }> {
  const { status, body } = await stack.call<{ userId: string; token: string }>("POST", "/v1/sessions", {
    key: publicKey,
    body: {},
  });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}
const totalsOf = async (productId: string, key?: string) =>
  (await stack.call<ProductWithTotals>("GET", `/v1/products/${productId}`, key ? { key } : {})).body.totals;
const listOf = async (path: string): Promise<RecommendationList["items"]> =>
  (await stack.call<RecommendationList>("GET", path, { key: publicKey })).body.items;
const trending = () => listOf(`/v1/trending?lat=${oslo.lat}&lon=${oslo.lon}&limit=50`);
const similar = (productId: string) => listOf(`/v1/products/${productId}/similar?limit=50`);
const idsOf = (items: RecommendationList["items"]): string[] => items.map(({ productId }) => productId);

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

describe("what strangers and single users do", () => {
  it("S3: counts for nobody while anonymous users are new, and is stored for themselves", async () => {
    await importEvents(
      Array.from({ length: 6 }, (_, i) => event(`buyer-${i}`, "purchase", "oslo-5", 60 + i)),
    );
    for (let n = 0; n < sessionCount; n++) {
      const { userId, token } = await openSession();
      const { body } = await send(
        token,
        event(userId, "view", "oslo-9"),
        event(userId, "purchase", "oslo-8"),
      );
      expect(body).toMatchObject({ accepted: 2, rejected: [] });
      const own = () => stack.call<{ items: unknown[] }>("GET", `/v1/users/${userId}/interactions`);
      const stored = await pollUntil(own, ({ body: { items } }) => items.length === 2, 30);
      expect(stored.body.items).toHaveLength(2);
    }
    const shown = await pollUntil(trending, ([first]) => first.score > 0, 60);
    expect(shown[0].productId).toBe("oslo-5");
    expect(shown.filter(({ score }) => score > 0)).toHaveLength(1);
    expect(await totalsOf("oslo-8")).toMatchObject({ purchase: 0, people: 0, buyers: 0 });
  });

  it("S4: takes no popularity by one token's dismissals, and refuses what is older than 15 minutes", async () => {
    const token = await tokenOf("critic");
    const scoreOf = async () =>
      (await trending()).find(({ productId }) => productId === "oslo-5")?.score ?? 0;
    const before = await pollUntil(scoreOf, (score) => score > 0, 60);
    expect(before).toBeGreaterThan(0);
    const dismissals = Array.from({ length: 80 }, (_, i) => event("critic", "dismiss", "oslo-5", i % 14));
    expect((await send(token, ...dismissals)).body).toMatchObject({ accepted: 80 });
    const backdated = Array.from({ length: 80 }, (_, i) => event("critic", "dismiss", "oslo-5", 20 + i * 60));
    const { status, body } = await send(token, ...backdated);
    expect([status, JSON.stringify(body)]).toEqual([422, expect.stringContaining("at most 15 minutes old")]);
    const counted = await pollUntil(
      () => totalsOf("oslo-5"),
      ({ dismiss }) => dismiss > 0,
      30,
    );
    expect(counted).toMatchObject({ dismiss: 1, purchase: 6 });
    // The score decays with time, by far less than a dismissal took.
    expect(await scoreOf()).toBeGreaterThan(before - 0.05);
  });

  it("S5: shows what one user chose next to nobody, and what five chose to all", async () => {
    const pair = (userId: string, minutesAgo: number) => [
      event(userId, "view", "oslo-1", minutesAgo),
      event(userId, "purchase", "oslo-2", minutesAgo - 1),
    ];
    await importEvents(pair("solo", 600));
    expect(await totalsOf("oslo-2")).toMatchObject({ people: 1, buyers: 1 });
    expect(await totalsOf("oslo-2", publicKey)).toMatchObject({ people: 0, buyers: 0 });
    expect(idsOf(await similar("oslo-1"))).not.toContain("oslo-2");
    await importEvents(Array.from({ length: 4 }, (_, i) => pair(`fan-${i}`, 500 - 20 * i)).flat());
    const shown = await pollUntil(
      () => similar("oslo-1"),
      (items) => idsOf(items).includes("oslo-2"),
      60,
    );
    expect(shown[0].productId).toBe("oslo-2");
    expect(await totalsOf("oslo-2", publicKey)).toMatchObject({ people: 5, buyers: 5 });
  });

  it("S5: shows a stranger nothing of one user's purchase in the scores of a list; a known user sees it", async () => {
    const island = { lat: -15.95, lon: -5.7 };
    const isle = generateProducts("isle", island, 6);
    await importProducts(stack, isle);
    await waitForNearbyProducts(stack, island, isle);
    const stranger = await openSession();
    const scoresOf = async (userId: string, key: string): Promise<Map<string, number>> => {
      // The last position may be explored.
      const body = { userId, location: island, limit: 7 };
      const { body: list } = await stack.call<RecommendationList>("POST", "/v1/recommendations", {
        key,
        body,
      });
      return new Map(list.items.slice(0, 6).map(({ productId, score }) => [productId, score]));
    };
    const known = () => scoresOf("neighbor", "dev-server-key");
    const before = await scoresOf(stranger.userId, stranger.token);
    const [first] = before.keys();
    const knownBefore = (await known()).get(first) ?? 0;
    await send("dev-server-key", event("castaway", "purchase", first));
    const knownAfter = await pollUntil(known, (scores) => (scores.get(first) ?? 0) > 1.2 * knownBefore, 60);
    expect(knownAfter.get(first)).toBeGreaterThan(1.2 * knownBefore);
    const after = await scoresOf(stranger.userId, stranger.token);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    // The products are a few seconds older.
    for (const [id, score] of before) expect(after.get(id)).toBeCloseTo(score, 4);
  });

  it("S4: refuses a user's events above the limit of an hour, each with the time to wait", async () => {
    const { userId, token } = await openSession();
    for (let i = 0; i < 2; i++)
      expect(
        (await send(token, ...Array.from({ length: 100 }, () => event(userId, "view", "oslo-3")))).status,
      ).toBe(202);
    const refused = await send(token, event(userId, "view", "oslo-4"));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(JSON.stringify(refused.body)).toContain("in this hour");
    expect((await send("dev-server-key", event(userId, "view", "oslo-4"))).status).toBe(202);
  });
});
