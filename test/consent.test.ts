import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Coarsening } from "../shared/contracts/coarsening.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import type { User, UserInteraction } from "../shared/contracts/user.ts";
import type { InputWarning } from "../shared/contracts/warning.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import { exportUserData } from "./support/export-user-data.ts";
import { findTraces } from "./support/find-traces.ts";
import { startWithProducts } from "./support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";

const variables = {
  ...exactByDefault,
  // Every list without an event becomes a training example or is dropped two seconds after it was shown.
  "user-session": { ...exactByDefault["user-session"], CLICK_WINDOW_SECONDS: "2" },
};
const stack = new TestStack(variables);
const products = generateProducts("oslo", oslo, 40);

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

const consentOf = (userId: string, location: Precision | null) =>
  stack.call<User & { coarsening?: Coarsening }>("PUT", `/v1/users/${userId}`, {
    body: { consent: { location } },
  });

const coarseningOf = (id: string) => stack.call<Coarsening>("GET", `/v1/coarsenings/${id}`);

/** Waits until a coarsening is done, and returns it. */
const doneCoarsening = async (id: string): Promise<Coarsening> =>
  (
    await pollUntil(
      () => coarseningOf(id),
      ({ body }) => body.status === "done",
    )
  ).body;

const interactionsOf = async (userId: string): Promise<UserInteraction[]> =>
  (await stack.call<Page<UserInteraction>>("GET", `/v1/users/${userId}/interactions`)).body.items;

/** Lets a user be at a point in every way that leaves something stored: events, history, a location, a list, a click. */
async function liveAt(userId: string, where: Point): Promise<void> {
  const event = (eventId: string, more: object = {}) => ({
    ...{ eventId, userId, type: "view", productId: "oslo-1", location: where },
    ...more,
  });
  await stack.call("POST", "/v1/events", { body: { events: [event("live")] } });
  const past = toNdjson([event("past", { timestamp: "2026-06-01T12:00:00Z" })]);
  await stack.call("POST", "/v1/events/bulk", { body: past, headers: ndjsonHeaders });
  await stack.call("PUT", `/v1/users/${userId}/location`, { body: where });
  for (let i = 0; i < 3; i++) {
    const { body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId, location: where, limit: 5 },
    });
    await stack.call("POST", "/v1/events", {
      body: {
        events: [
          event(`click-${i}`, {
            type: "click",
            productId: body.items[0].productId,
            recommendationId: body.recommendationId,
          }),
        ],
      },
    });
  }
}

/** Waits until everything that {@link liveAt} caused is stored. */
async function untilStored(userId: string): Promise<void> {
  await pollUntil(
    () => exportUserData(stack, userId),
    (items) =>
      items.filter(({ store }) => store === "interactions").length === 5 &&
      items.filter(({ store }) => store === "locations").length === 1 &&
      items.some(
        (item) => item.store === "training_log" && JSON.stringify(item.line).includes('"kind":"example"'),
      ),
    30,
  );
}

/** Returns the locations of a user that the export contains. */
async function storedLocations(userId: string): Promise<Point[]> {
  return (await exportUserData(stack, userId)).flatMap((item): Point[] => {
    if (item.store === "profile") return item.profile.home ? [item.profile.home] : [];
    if (item.store === "interactions") return item.interaction.location ? [item.interaction.location] : [];
    return item.store === "locations" ? [item.location] : [];
  });
}

describe("lowered consent", () => {
  it.each([
    ["approximate", { lat: 59.910717171, lon: 10.755929292 }, 1],
    ["city", { lat: 59.920717272, lon: 10.745929393 }, 30],
    ["none", { lat: 59.930717373, lon: 10.735929494 }, 0],
  ] as const)("S11: coarsens what is stored to %s, in every store", async (level, where, maxKm) => {
    const userId = `lowered-to-${level}`;
    const digits = [String(where.lat).slice(-7), String(where.lon).slice(-7)];
    await stack.call("PUT", `/v1/users/${userId}`, {
      body: { home: where, consent: { location: "exact" } },
    });
    await liveAt(userId, where);
    await untilStored(userId);
    expect(await findTraces(stack, digits, [where.lat, where.lon])).not.toEqual([]);

    const { body } = await stack.call<User & { coarsening: Coarsening }>("PATCH", `/v1/users/${userId}`, {
      body: { consent: { location: level } },
    });
    expect(body.consent).toEqual({ location: level });
    const done = await doneCoarsening(body.coarsening.id);
    expect(done).toMatchObject({ precision: level, status: "done" });
    const changed = Object.fromEntries(done.stores.map((each) => [each.store, each.changed]));
    expect(changed.records).toBeGreaterThanOrEqual(6);
    expect(changed.object).toBeGreaterThan(0);
    expect(changed.receipts).toBeGreaterThan(0);
    expect(changed.training_log).toBeGreaterThan(0);

    // The log lines of the workers never had the location; the stores have it no more.
    expect(await findTraces(stack, digits, [where.lat, where.lon])).toEqual([]);
    const locations = await storedLocations(userId);
    expect(locations).toHaveLength(level === "none" ? 0 : 7);
    for (const each of locations) {
      expect(distanceKm(each.lat, each.lon, where.lat, where.lon)).toBeLessThan(maxKm);
      expect(each).toEqual(locations[0]);
    }
    const kept = JSON.stringify(await exportUserData(stack, userId));
    expect(kept).not.toContain('"kind":"example"');
    expect((await interactionsOf(userId)).map(({ eventId }) => eventId)).toHaveLength(5);
  });

  it("S11: raising the consent keeps what is coarse, and stores finer locations from then on", async () => {
    const userId = "raised";
    const where = { lat: 59.911717171, lon: 10.756929292 };
    await consentOf(userId, "city");
    await liveAt(userId, where);
    const raised = await consentOf(userId, "exact");
    expect(raised.body.coarsening).toBeUndefined();
    await stack.call("POST", "/v1/events", {
      body: { events: [{ eventId: "fine", userId, type: "view", productId: "oslo-2", location: where }] },
    });
    const items = await pollUntil(
      () => interactionsOf(userId),
      (list) => list.length === 6,
    );
    for (const { eventId, location } of items)
      if (eventId === "fine") expect(location).toEqual(where);
      else expect(location).not.toEqual(where);
  });

  it("S11: a second lowering takes over, and an erasure ends both", async () => {
    const userId = "twice";
    await consentOf(userId, "exact");
    await liveAt(userId, { lat: 59.912717171, lon: 10.757929292 });
    const first = await consentOf(userId, "approximate");
    const second = await consentOf(userId, "none");
    await doneCoarsening(second.body.coarsening?.id ?? "");
    const states = await Promise.all(
      [first, second].map(async ({ body }) => (await coarseningOf(body.coarsening?.id ?? "")).body.status),
    );
    expect(["done", "replaced"]).toContain(states[0]);
    expect(states[1]).toBe("done");
    await pollUntil(
      () => interactionsOf(userId),
      (list) => list.length === 5,
    );
    expect(await storedLocations(userId)).toEqual([]);
    const erased = await stack.call<{ id: string }>("DELETE", `/v1/users/${userId}`);
    await pollUntil(
      () => stack.call<{ status: string }>("GET", `/v1/erasures/${erased.body.id}`),
      ({ body }) => body.status === "done",
    );
    expect(await exportUserData(stack, userId)).toEqual([]);
    expect((await coarseningOf(second.body.coarsening?.id ?? "")).body.status).toBe("done");
  });

  it("is polled by keys that may change users, in their own application only", async () => {
    await consentOf("polled", "exact");
    const { body } = await consentOf("polled", "none");
    const id = body.coarsening?.id ?? "";
    expect((await stack.call("GET", `/v1/coarsenings/${id}`, { key: "dev-server-key" })).status).toBe(403);
    expect((await coarseningOf(id.replace(/^./, (c) => (c === "A" ? "B" : "A")))).status).toBe(404);
    expect((await coarseningOf(id)).body.status).toBe("done");
  });
});

describe("consent `none`", () => {
  const where = { lat: 59.932717171, lon: 10.737929292 };
  const digits = ["2717171", "7929292"];

  it("S11: recommends from the place of the request, and keeps nothing of it", async () => {
    const userId = "nowhere";
    const put = await stack.call<User>("PUT", `/v1/users/${userId}`, {
      body: { home: where, consent: { location: "none" } },
    });
    expect(put.body.home).toBeNull();
    const ask = (body: object) =>
      stack.call<RecommendationAnswer>("POST", "/v1/recommendations", { body: { userId, ...body } });
    const near = (await ask({ location: where, filter: { radiusKm: 2 } })).body;
    expect(near.location).toMatchObject({ source: "request", precision: "none" });
    expect(near.items.length).toBeGreaterThan(0);
    for (const { distanceKm: km } of near.items) expect(km).toBeLessThanOrEqual(2.01);
    expect((await stack.call("GET", `/v1/recommendations/${near.recommendationId}`)).status).toBe(404);

    const located = await stack.call<{ location: object; warnings: InputWarning[] }>(
      "PUT",
      `/v1/users/${userId}/location`,
      { body: where },
    );
    expect([located.status, located.body.location]).toEqual([
      200,
      { city: null, country: null, precision: "none", source: "none" },
    ]);
    expect(located.body.warnings.map(({ code }) => code)).toEqual(["location_not_stored"]);
    const event = { eventId: "e", userId, type: "purchase", productId: near.items[0].productId };
    const sent = await stack.call<{ warnings: InputWarning[] }>("POST", "/v1/events", {
      body: { events: [{ ...event, location: where, recommendationId: near.recommendationId }] },
    });
    expect(sent.body.warnings.map(({ code }) => code)).toEqual(["location_not_stored"]);
    await pollUntil(
      () => interactionsOf(userId),
      (list) => list.length === 1,
    );
    const { location, items } = (await ask({})).body;
    expect(location.source).not.toMatch(/last|home/);
    if (location.source === "none") for (const item of items) expect(item.distanceKm).toBeNull();
    expect(await storedLocations(userId)).toEqual([]);
    const memory = (await exportUserData(stack, userId)).find(({ store }) => store === "memory");
    expect(memory).toMatchObject({
      memory: { location: null, unconfirmedLocation: null, home: null, places: {} },
    });
    expect(await findTraces(stack, digits, [where.lat, where.lon])).toEqual([]);
  });
});
