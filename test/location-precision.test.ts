import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnswerLocation } from "../shared/contracts/location.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { User, UserInteraction } from "../shared/contracts/user.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import { exportUserData, findStoresContaining, findTraces } from "./find-traces.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
/** Where people really are. Its digits are looked for everywhere. */
const realLocation: Point = { lat: 59.930717171, lon: 10.735929292 };
/** At sea, far from any city. */
const atSea: Point = { lat: -40.530717171, lon: -120.135929292 };
const digits = ["30717171", "35929292"];

beforeAll(async () => {
  await stack.start();
  await stack.call("POST", "/v1/products/bulk", {
    body: toNdjson(generateProducts("oslo", oslo, 40)),
    headers: ndjsonHeaders,
  });
});
afterAll(() => stack.stop());

/** What a person's WebSocket hears, as it comes. */
async function openLiveSocket(userId: string): Promise<{ heard: string[]; close(): void }> {
  const heard: string[] = [];
  const socket = new WebSocket(`${stack.url.replace("http", "ws")}v1/users/${userId}/live`, [
    "vicinity",
    "dev-client-key",
  ]);
  socket.addEventListener("message", ({ data }) => heard.push(String(data)));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error("the socket did not open")));
  });
  return { heard, close: () => socket.close() };
}

/** What a person was told of their place, and the whole of every answer and message, as text. */
interface LocationAnswers {
  locations: AnswerLocation[];
  texts: string[];
}

/** Goes every way that a place can come in, right and wrong ones, and answers what each said of it. */
async function sendLocations(userId: string, precision: Precision, where: Point): Promise<LocationAnswers> {
  const profile = { home: where, consent: { location: precision } };
  expect((await stack.call("PUT", `/v1/users/${userId}`, { body: profile })).status).toBe(201);
  const socket = await openLiveSocket(userId);
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
    warnings: precision === "exact" ? [] : [{ index: 0, code: "location_coarsened" }],
  });
  const past = toNdjson([
    event("past", { timestamp: "2025-06-01T12:00:00Z" }),
    event("placeless", { productId: "nowhere" }),
  ]);
  await stack.call("POST", "/v1/events/bulk", { body: past, headers: ndjsonHeaders });
  await pollUntil(
    () => stack.call<Page<UserInteraction>>("GET", `/v1/users/${userId}/interactions`),
    ({ body }) => body.items.length === 3,
  );
  await pollUntil(
    async () => socket.heard.length,
    (n) => n >= 2,
  );
  expect(socket.heard.length).toBeGreaterThanOrEqual(2);
  socket.close();
  await pollUntil(
    () => exportUserData(stack, userId),
    (items) => ["locations", "training_log"].every((store) => items.some((item) => item.store === store)),
  );
  const pushed = socket.heard.map((text) => JSON.parse(text).location);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  // What is refused is kept and logged no finer either.
  const refused = [
    await stack.call("POST", "/v1/recommendations", { body: { userId, location: where, colour: 1 } }),
    await stack.call("PUT", `/v1/users/${userId}/location`, { body: { ...where, colour: 1 } }),
    await stack.call("POST", "/v1/events", { body: { events: [event("refused", { colour: 1 })] } }),
    await stack.call("POST", "/v1/events/bulk", {
      body: `${JSON.stringify(event("bad", { colour: 1 }))}\n{"lat":${where.lat}`,
      headers: ndjsonHeaders,
    }),
  ];
  const asked = [
    await stack.call("GET", `/v1/users/${userId}`),
    await stack.call("GET", `/v1/users/${userId}/interactions`),
    await stack.call("GET", `/v1/recommendations/${answers[0].body.recommendationId}`),
    await stack.call("GET", "/v1/users"),
  ];
  return {
    locations: [...answers.map(({ body }) => body.location), ...pushed],
    texts: [
      ...socket.heard,
      ...[...answers, ...refused, ...asked].map(({ body, headers }) => JSON.stringify([body, [...headers]])),
    ],
  };
}

describe("a place", () => {
  it.each([
    ["1km", realLocation, 0.1, 1],
    ["city", realLocation, 1, 30],
    ["city", atSea, 1, 35],
  ] as const)(
    "of somebody who allows %s is nowhere finer, whichever way it came in",
    async (precision, where, least, most) => {
      const userId = `${precision}-${Math.round(where.lat)}`.replace("--", "-s");
      const told = await sendLocations(userId, precision, where);
      for (const location of told.locations) expect(location.precision).toBe(precision);
      for (const text of told.texts) for (const digit of digits) expect(text).not.toContain(digit);
      const held = await exportUserData(stack, userId);
      for (const text of digits) expect(JSON.stringify(held)).not.toContain(text);
      expect(await findTraces(stack, digits, [where.lat, where.lon])).toEqual([]);
      const kept = held.flatMap((item) => {
        if (item.store === "profile") return item.profile.home ?? [];
        if (item.store === "interactions") return item.interaction.location ?? [];
        return item.store === "locations" ? item.location : [];
      });
      expect(kept).toHaveLength(5);
      for (const place of kept) {
        const far = distanceKm(place.lat, place.lon, where.lat, where.lon);
        expect(far).toBeGreaterThan(least / 100);
        expect(far).toBeLessThan(most);
        expect(place).toEqual(kept[0]);
      }
    },
  );

  it("is kept as it came of somebody who allows that, and their home no longer once they do not", async () => {
    const told = await sendLocations("exact", "exact", realLocation);
    for (const location of told.locations) expect(location.precision).toBe("exact");
    const traces = await findTraces(stack, digits, [realLocation.lat, realLocation.lon]);
    // The search finds what is there: rows, objects of the log, the person's object; but no line of a log.
    expect(traces).toEqual(
      expect.arrayContaining(["user users", "user interactions", expect.stringMatching(/^USER_SESSION /)]),
    );
    expect(traces.filter((place) => place.startsWith("log "))).toEqual([]);
    expect(traces.filter((place) => place.startsWith("CELL "))).toEqual([]);
    const path = "/v1/users/exact";
    const { body } = await stack.call<User>("PATCH", path, { body: { consent: { location: "city" } } });
    expect(body.consent.location).toBe("city");
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
    const memory = (await exportUserData(stack, "exact")).find(({ store }) => store === "memory");
    for (const text of digits) expect(JSON.stringify(memory)).not.toContain(text);
    await stack.call("PATCH", path, { body: { home: realLocation } });
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
    await stack.call("PATCH", path, { body: { consent: { location: "1km" }, home: realLocation } });
    const stored = (await stack.call<User>("GET", path)).body;
    expect(
      stored.home && distanceKm(stored.home.lat, stored.home.lon, realLocation.lat, realLocation.lon),
    ).toBeLessThan(1);
    expect(await findStoresContaining(stack, digits)).not.toContain("user users");
  });
});
