import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnswerLocation } from "../shared/contracts/location.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { User, UserInteraction } from "../shared/contracts/user.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import { exportUserData } from "./support/export-user-data.ts";
import { findStoresContaining, findTraces } from "./support/find-traces.ts";
import { importProducts } from "./support/import-products.ts";
import { openLiveSocket } from "./support/live-socket.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
/** Exact location of most test users. The tests search every store and answer for its last digits. */
const realLocation: Point = { lat: 59.930717171, lon: 10.735929292 };
/** Location in the Pacific, far from any city, with the same last digits. */
const atSea: Point = { lat: -40.530717171, lon: -120.135929292 };
const digits = ["30717171", "35929292"];

beforeAll(async () => {
  await stack.start();
  await importProducts(stack, generateProducts("oslo", oslo, 40));
});
afterAll(() => stack.stop());

/** The resolved locations in the answers and messages, and every answer and message as text. */
interface LocationAnswers {
  locations: AnswerLocation[];
  texts: string[];
}

/** Sends a location to every endpoint that accepts one, in valid and in invalid requests. Returns the answers. */
async function sendLocations(userId: string, precision: Precision, where: Point): Promise<LocationAnswers> {
  const profile = { home: where, consent: { location: precision } };
  expect((await stack.call("PUT", `/v1/users/${userId}`, { body: profile })).status).toBe(201);
  const socket = await openLiveSocket(stack, userId, "dev-admin-key");
  type Located = { location: AnswerLocation; recommendationId: string };
  const answers = [
    await stack.call<Located>("POST", "/v1/recommendations", { body: { userId } }),
    await stack.call<Located>("POST", "/v1/recommendations", {
      body: { userId, location: where, explain: true },
    }),
    await stack.call<Located>("GET", `/v1/users/${userId}/recommendations?lat=${where.lat}&lon=${where.lon}`),
    await stack.call<Located>("PUT", `/v1/users/${userId}/location`, { body: where }),
  ];
  const event = (eventId: string, more: object = {}) => ({
    ...{ eventId, userId, type: "view", productId: "oslo-1", location: where },
    ...more,
  });
  const { body: receipt } = await stack.call("POST", "/v1/events", { body: { events: [event("live")] } });
  expect(receipt).toMatchObject({
    accepted: 1,
    warnings:
      precision === "exact" ? [] : [{ index: 0, code: "location_coarsened", message: expect.any(String) }],
  });
  const past = toNdjson([
    event("past", { timestamp: "2025-06-01T12:00:00Z" }),
    event("unknown-product", { productId: "nowhere" }),
  ]);
  await stack.call("POST", "/v1/events/bulk", { body: past, headers: ndjsonHeaders });
  await pollUntil(
    () => stack.call<Page<UserInteraction>>("GET", `/v1/users/${userId}/interactions`),
    ({ body }) => body.items.length === 3,
  );
  await pollUntil(
    async () => socket.messages.length,
    (n) => n >= 2,
  );
  expect(socket.messages.length).toBeGreaterThanOrEqual(2);
  socket.close();
  await pollUntil(
    () => exportUserData(stack, userId),
    (items) => ["locations", "training_log"].every((store) => items.some((item) => item.store === store)),
  );
  const pushed = socket.messages.map((text) => JSON.parse(text).location);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  // Invalid requests must not leave an exact location in a store or a log either.
  const refused = [
    await stack.call("POST", "/v1/recommendations", { body: { userId, location: where, color: 1 } }),
    await stack.call("PUT", `/v1/users/${userId}/location`, { body: { ...where, color: 1 } }),
    await stack.call("POST", "/v1/events", { body: { events: [event("refused", { color: 1 })] } }),
    await stack.call("POST", "/v1/events/bulk", {
      body: `${JSON.stringify(event("bad", { color: 1 }))}\n{"lat":${where.lat}`,
      headers: ndjsonHeaders,
    }),
  ];
  const reads = [
    await stack.call("GET", `/v1/users/${userId}`),
    await stack.call("GET", `/v1/users/${userId}/interactions`),
    await stack.call("GET", `/v1/recommendations/${answers[0].body.recommendationId}`),
    await stack.call("GET", "/v1/users"),
  ];
  return {
    locations: [...answers.map(({ body }) => body.location), ...pushed],
    texts: [
      ...socket.messages,
      ...[...answers, ...refused, ...reads].map(({ body, headers }) => JSON.stringify([body, [...headers]])),
    ],
  };
}

describe("location consent", () => {
  it.each([
    ["approximate", "near Oslo", realLocation, 0.1, 1],
    ["city", "near Oslo", realLocation, 1, 30],
    ["city", "at sea", atSea, 1, 35],
  ] as const)(
    "limits every stored and returned location to %s for a user %s",
    async (precision, _place, where, minKm, maxKm) => {
      const userId = `${precision}-${Math.round(where.lat)}`.replace("--", "-s");
      const sent = await sendLocations(userId, precision, where);
      for (const location of sent.locations) expect(location.precision).toBe(precision);
      for (const text of sent.texts) for (const digit of digits) expect(text).not.toContain(digit);
      const exported = await exportUserData(stack, userId);
      for (const text of digits) expect(JSON.stringify(exported)).not.toContain(text);
      expect(await findTraces(stack, digits, [where.lat, where.lon])).toEqual([]);
      const storedLocations = exported.flatMap((item) => {
        if (item.store === "profile") return item.profile.home ?? [];
        if (item.store === "interactions") return item.interaction.location ?? [];
        return item.store === "locations" ? item.location : [];
      });
      expect(storedLocations).toHaveLength(5);
      for (const location of storedLocations) {
        const distance = distanceKm(location.lat, location.lon, where.lat, where.lon);
        expect(distance).toBeGreaterThan(minKm / 100);
        expect(distance).toBeLessThan(maxKm);
        expect(location).toEqual(storedLocations[0]);
      }
    },
  );

  it("keeps exact locations for a user who allows them, and coarsens the home when the user stops allowing them", async () => {
    const sent = await sendLocations("exact", "exact", realLocation);
    for (const location of sent.locations) expect(location.precision).toBe("exact");
    const traces = await findTraces(stack, digits, [realLocation.lat, realLocation.lon]);
    // The search works: it finds rows and the user's Durable Object. No log line and no cell has an exact location.
    expect(traces).toEqual(
      expect.arrayContaining([
        "user users",
        "user recent_interactions",
        expect.stringMatching(/^USER_SESSION /),
      ]),
    );
    expect(traces.filter((trace) => trace.startsWith("log "))).toEqual([]);
    expect(traces.filter((trace) => trace.startsWith("CELL "))).toEqual([]);
    const path = "/v1/users/exact";
    const { body } = await stack.call<User>("PATCH", path, { body: { consent: { location: "city" } } });
    expect(body.consent.location).toBe("city");
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
    const memory = (await exportUserData(stack, "exact")).find(({ store }) => store === "memory");
    for (const text of digits) expect(JSON.stringify(memory)).not.toContain(text);
    await stack.call("PATCH", path, { body: { home: realLocation } });
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
    await stack.call("PATCH", path, { body: { consent: { location: "approximate" }, home: realLocation } });
    const stored = (await stack.call<User>("GET", path)).body;
    expect(
      stored.home && distanceKm(stored.home.lat, stored.home.lon, realLocation.lat, realLocation.lon),
    ).toBeLessThan(1);
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
  });
});
