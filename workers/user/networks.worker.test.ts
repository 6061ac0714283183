/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import type { AcceptedInteraction } from "../../shared/contracts/event.ts";
import { retention } from "../../shared/contracts/retention.ts";
import { removeExpiredRows } from "./retention.ts";
import { UserStore } from "./store.ts";
import { recountAll } from "./testing/recount-all.ts";

const environment: { DB: D1Database; MIGRATIONS: D1Migration[] } = Object.assign({ MIGRATIONS: [] }, env);
const store = new UserStore([environment.DB]);
const day = 86_400;
const start = 20_000 * day;

const purchase = (productId: string, more: Partial<AcceptedInteraction> = {}): AcceptedInteraction => ({
  eventId: `e-${productId}-${more.time ?? start}-${more.type ?? "purchase"}`,
  type: "purchase",
  productId,
  time: start,
  recommendationId: null,
  location: null,
  facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
  counts: true,
  networkKey: null,
  first: true,
  firstPurchase: true,
  previous: [],
  ...more,
});
const keyOf = (network: string, productId: string): number => hash53(`${network} ${productId} purchase`);
const userOf = (n: number, interaction: AcceptedInteraction) => ({
  userId: `u${n}`,
  pseudonym: n.toString(16).padStart(64, "0"),
  generation: 0,
  interactions: [interaction],
});
const record = (application: string, batch: ReturnType<typeof userOf>[]) =>
  store.recordInteractions(application, batch, start);
const countsOf = async (application: string, productId: string) => {
  const [{ purchase: purchases, people, buyers }] = await store.lifetimeTotals(application, [productId]);
  return { purchases, people, buyers };
};

beforeAll(() => applyD1Migrations(environment.DB, environment.MIGRATIONS));

describe("the users of one network whom nobody vouches for", () => {
  const ofNetwork = (n: number, more: Partial<AcceptedInteraction> = {}) =>
    userOf(n, purchase("p", { networkKey: keyOf("net", "p"), ...more }));

  it("S3: count once by product, type and day, in one call and in many", async () => {
    const crowd = Array.from({ length: 300 }, (_, n) => ofNetwork(n));
    const { uncounted } = await record("one", crowd.slice(0, 200));
    expect(uncounted).toHaveLength(199);
    expect(uncounted).not.toContainEqual({ userId: "u0", eventId: crowd[0].interactions[0].eventId });
    await record("one", crowd.slice(200));
    expect(await countsOf("one", "p")).toEqual({ purchases: 1, people: 1, buyers: 1 });
    await record("one", [ofNetwork(400, { time: start + day })]);
    await record("one", [userOf(401, purchase("p", { networkKey: keyOf("other", "p") }))]);
    expect(await countsOf("one", "p")).toEqual({ purchases: 3, people: 3, buyers: 3 });
  });

  it("S3: count the same when a message is repeated, and after a rebuild", async () => {
    const crowd = Array.from({ length: 20 }, (_, n) => ofNetwork(n));
    const first = await record("two", crowd);
    const repeated = await record("two", [...crowd].reverse());
    const byUser = (list: { userId: string }[]) => list.map(({ userId }) => userId).sort();
    expect(repeated.inserted).toBe(0);
    expect(byUser(repeated.uncounted)).toEqual(byUser(first.uncounted));
    const before = await store.hourlyTotals("two", ["p"]);
    await recountAll(store.databases, "two");
    expect(await store.hourlyTotals("two", ["p"])).toEqual(before);
  });

  it("are all stored, and take nothing from users of no network", async () => {
    const vouched = Array.from({ length: 7 }, (_, n) => userOf(100 + n, purchase("p")));
    await record("three", [...Array.from({ length: 20 }, (_, n) => ofNetwork(n)), ...vouched]);
    expect(await countsOf("three", "p")).toEqual({ purchases: 8, people: 8, buyers: 8 });
    expect(await store.listInteractions("three", "u7", 10, null)).toMatchObject([{ counts: 0 }]);
  });

  it("are forgotten as a network after two weeks", async () => {
    await record("four", [ofNetwork(1)]);
    const rows = async () =>
      (await environment.DB.prepare("SELECT count(*) AS n FROM network_counts").first<{ n: number }>())?.n;
    await removeExpiredRows([environment.DB], retention.parse({}), start + 14 * day);
    expect(await rows()).toBeGreaterThan(0);
    await removeExpiredRows([environment.DB], retention.parse({}), start + 16 * day);
    expect(await rows()).toBe(0);
  });
});

describe("an interaction that does not count", () => {
  it("S3: is stored and adds to no total, also if the user's next one in the hour counts", async () => {
    const uncounted = { counts: false, first: false, firstPurchase: false };
    await record("five", [userOf(1, purchase("p", uncounted))]);
    expect(await countsOf("five", "p")).toEqual({ purchases: 0, people: 0, buyers: 0 });
    await record("five", [userOf(1, purchase("p", { eventId: "later", time: start + 60 }))]);
    expect(await countsOf("five", "p")).toEqual({ purchases: 1, people: 1, buyers: 1 });
    await recountAll(store.databases, "five");
    expect(await countsOf("five", "p")).toEqual({ purchases: 1, people: 1, buyers: 1 });
  });
});
