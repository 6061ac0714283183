import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { ResolvedLocation } from "../../shared/contracts/location.ts";
import type { ModelDetails, ModelRecord } from "../../shared/contracts/model.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { BulkReport } from "../../shared/contracts/product.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import type { LocationOutcome } from "../../shared/contracts/user.ts";
import type { InputWarning } from "../../shared/contracts/warning.ts";
import { importProducts } from "../support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "../support/ndjson.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { exactByDefault, TestStack } from "../support/test-stack.ts";

const stack = new TestStack(exactByDefault);
const paris = { lat: 48.8566, lon: 2.3522 };
const tokyo = { lat: 35.6762, lon: 139.6503 };
const zero = { lat: 0, lon: 0 };
const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

beforeAll(async () => {
  await stack.start();
  await importProducts(stack, generateProducts("oslo", oslo, 20));
});
afterAll(() => stack.stop());

/** Sends one event of a user and returns the receipt. */
async function sendEvent(userId: string, location: Point, timestamp = minutesAgo(0)): Promise<EventReceipt> {
  const event = {
    eventId: crypto.randomUUID(),
    userId,
    type: "view",
    productId: "oslo-1",
    location,
    timestamp,
  };
  const { status, body } = await stack.call<EventReceipt>("POST", "/v1/events", {
    body: { events: [event] },
  });
  expect(status).toBe(202);
  return body;
}

const recommend = async (userId: string, more: object = {}): Promise<RecommendationAnswer> => {
  const answer = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
    body: { userId, ...more },
  });
  expect(answer.status).toBe(200);
  return answer.body;
};

describe("places", () => {
  it("P1: (0, 0) and whole degrees are not where a user is, and the receipt says so", async () => {
    await stack.call("PUT", "/v1/users/phone", { body: { home: paris } });
    for (const location of [zero, { lat: 0.0001, lon: 0 }, { lat: 35, lon: 139 }]) {
      const receipt = await sendEvent("phone", location);
      expect(receipt).toMatchObject({
        accepted: 1,
        rejected: [],
        warnings: [{ index: 0, code: "location_not_believed" }],
      });
      expect(receipt.warnings[0].message).toContain("location");
      expect((await recommend("phone")).location.source).not.toBe("last");
    }
    const { status, body } = await stack.call("PUT", "/v1/users/phone/location", { body: zero });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain("(0, 0)");
    const answer = await recommend("phone", { location: zero });
    expect(answer.location.source).not.toBe("request");
    expect(answer.warnings).toMatchObject([{ path: "location", code: "location_not_believed" }]);
    expect(await recommend("phone", { location: paris })).not.toHaveProperty("warnings");
  });

  it("P1: a home or a product at (0, 0) has no location, and the answer says so", async () => {
    type Written = { home?: Point | null; location?: Point | null; warnings?: InputWarning[] };
    const unbelieved = (path: string) => [{ path, code: "location_not_believed" }];
    const user = await stack.call<Written>("PUT", "/v1/users/nowhere", { body: { home: zero } });
    expect(user.body).toMatchObject({ home: null, warnings: unbelieved("home") });
    await stack.call("PATCH", "/v1/users/nowhere", { body: { home: paris } });
    const patched = await stack.call<Written>("PATCH", "/v1/users/nowhere", { body: { home: zero } });
    expect(patched.body).toMatchObject({ home: null, warnings: unbelieved("home") });
    const product = { title: "Lamp", location: zero };
    const put = await stack.call<Written>("PUT", "/v1/products/lamp", { body: product });
    expect(put.status).toBe(201);
    expect(put.body).toMatchObject({ location: null, warnings: unbelieved("location") });
    const moved = await stack.call<Written>("PATCH", "/v1/products/lamp", { body: { location: paris } });
    expect(moved.body).toMatchObject({ location: paris });
    expect(moved.body).not.toHaveProperty("warnings");
  });

  it("P1: a bulk line at (0, 0) is accepted without its location, and reported by its number", async () => {
    const send = async (path: string, lines: object[]) =>
      (await stack.call<BulkReport>("POST", path, { body: toNdjson(lines), headers: ndjsonHeaders })).body;
    const product = (id: string, location: Point) => ({ id, title: id, location });
    const products = [product("table", oslo), product("chair", zero), product("lamp", { lat: 60, lon: 10 })];
    expect(await send("/v1/products/bulk", products)).toMatchObject({
      accepted: 3,
      errors: [],
      warnings: [
        { line: 2, code: "location_not_believed" },
        { line: 3, code: "location_imprecise" },
      ],
    });
    expect(
      (await stack.call<{ location: Point | null }>("GET", "/v1/products/chair")).body.location,
    ).toBeNull();
    const event = (eventId: string, userId: string, location: Point) => ({
      ...{ eventId, userId, type: "view", productId: "table", location },
      timestamp: minutesAgo(60 * 24 * 30),
    });
    const events = [event("e1", "una", paris), event("e2", "vic", zero), event("e3", "una", tokyo)];
    const report = await send("/v1/events/bulk", events);
    expect(report).toMatchObject({ accepted: 3, rejected: 0 });
    expect(report.warnings?.map(({ line, code }) => [line, code])).toEqual([
      [2, "location_not_believed"],
      [3, "location_not_believed"],
    ]);
    // The same lines again are duplicates.
    expect(await send("/v1/events/bulk", events)).toMatchObject({ accepted: 0, duplicates: 3, rejected: 0 });
  });

  it("P1: a jump faster than 1,500 km/h is not believed until a second location confirms it", async () => {
    expect((await sendEvent("flyer", paris, minutesAgo(30))).warnings).toEqual([]);
    expect((await sendEvent("flyer", tokyo, minutesAgo(20))).warnings).toMatchObject([
      { index: 0, code: "location_not_believed" },
    ]);
    expect((await recommend("flyer")).location).toMatchObject({ city: "Paris", source: "last" });
    const set = async (body: object) =>
      (await stack.call<LocationOutcome>("PUT", "/v1/users/flyer/location", { body })).body;
    expect(await set(tokyo)).toMatchObject({ location: { country: "JP", source: "request" } });
    expect((await recommend("flyer")).location).toMatchObject({ country: "JP", source: "last" });
    expect(await set(paris)).toMatchObject({
      location: { country: "JP", source: "last" },
      warnings: [{ code: "location_not_believed" }],
    });
  });

  it("P2: an imported event of 300 days ago is not where the user is now", async () => {
    const event = (eventId: string, timestamp: string) => ({
      ...{ eventId, userId: "traveler", type: "purchase", productId: "oslo-2", location: tokyo },
      timestamp,
    });
    await stack.call("PUT", "/v1/users/traveler", { body: { home: paris } });
    const body = toNdjson([event("old", minutesAgo(300 * 24 * 60))]);
    await stack.call("POST", "/v1/events/bulk", { body, headers: ndjsonHeaders });
    expect(["edge", "home"]).toContain((await recommend("traveler")).location.source);
    // Ten minutes within the twelve hours, and ten minutes outside.
    await stack.call("POST", "/v1/events", { body: { events: [event("late", minutesAgo(730))] } });
    expect(["edge", "home"]).toContain((await recommend("traveler")).location.source);
    await stack.call("POST", "/v1/events", { body: { events: [event("recent", minutesAgo(710))] } });
    expect((await recommend("traveler")).location).toMatchObject({ country: "JP", source: "last" });
  });

  it("P3: the country comes from borders, and the city from the same country", async () => {
    const found = await Promise.all(
      [
        [-4.2634, 15.2429],
        [42.3149, -83.0364],
        [32.5556, -117.047],
        [41.9029, 12.4534],
        [1.87, -157.43],
        [78.22, 15.65],
      ].map(async ([lat, lon]) => {
        const { body } = await stack.call<ResolvedLocation>(
          "GET",
          `/v1/locations/resolve?lat=${lat}&lon=${lon}`,
        );
        return body;
      }),
    );
    expect(found.map(({ country }) => country)).toEqual(["CG", "CA", "US", "VA", "KI", "SJ"]);
    expect(found[0].city).toBe("Brazzaville");
    expect(found[2].city).toMatch(/San Diego|Chula Vista/);
    expect(found[4].city).toBeNull();
  });
});

describe("models", () => {
  it("what serves is listed: the model that is deployed with the code", async () => {
    const { body } = await stack.call<{ items: ModelRecord[] }>("GET", "/v1/models");
    const { model } = await recommend("anyone", { location: oslo });
    expect(body.items).toMatchObject([{ ...model, status: "serving", origin: { by: "deployment" } }]);
    const path = `/v1/models/${model.version}`;
    expect((await stack.call<ModelDetails>("GET", path)).body).toMatchObject({ manifest: { ...model } });
    expect((await stack.call("POST", `${path}/promote`)).status).toBe(200);
    expect((await stack.call("POST", `${path}/rollback`)).status).toBe(409);
  });
});
