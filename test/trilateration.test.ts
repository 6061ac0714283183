import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { IssuedToken } from "../shared/contracts/credential.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { coarsenToKilometer } from "../shared/geo/coarsen.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import { startWithProducts } from "./support/import-products.ts";
import { openLiveSocket } from "./support/live-socket.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";
import { type Attack, attack, differenceOf, errorKm } from "./support/trilateration.ts";

const stack = new TestStack({
  ...exactByDefault,
  // Two users in one place get the same list only if nothing in it is random.
  recommendation: { ...exactByDefault.recommendation, ROLLOUT: '{"exploration":{"rate":0}}' },
});
const products = generateProducts("oslo", oslo, 60);
const places = new Map(products.map(({ id, location }) => [id, location as Point]));

/** Returns the point of the cell of about 1 km around `start` that is farthest from `other`. */
function farthestInCell(start: Point, other: Point): Point {
  const center = coarsenToKilometer(start);
  let best = start;
  for (let i = -25; i <= 25; i++)
    for (let j = -25; j <= 25; j++) {
      const each = { lat: center.lat + i * 0.0003, lon: center.lon + j * 0.0006 };
      const { lat, lon } = coarsenToKilometer(each);
      const isIn = lat === center.lat && lon === center.lon;
      const km = (point: Point): number => distanceKm(point.lat, point.lon, other.lat, other.lon);
      if (isIn && km(each) > km(best)) best = each;
    }
  return best;
}

/** Relative difference of two scores that the time between two requests makes, at most. */
const maxDrift = 1e-4;

const near = { lat: 59.9265, lon: 10.7431 };
const center = coarsenToKilometer(near);
/** Two points of one cell, at its opposite ends. */
const left = farthestInCell(near, center);
const right = farthestInCell(near, left);
/** A point of the same city, some kilometers away. */
const elsewhere = { lat: 59.9012, lon: 10.7893 };

/** Lets a user be at a point, at a consent: their last location and their home. */
async function placeUser(userId: string, consent: Precision, where: Point): Promise<void> {
  await stack.call("PUT", `/v1/users/${userId}`, { body: { consent: { location: consent }, home: where } });
  const located = await stack.call("PUT", `/v1/users/${userId}/location`, { body: where });
  expect(located.status).toBe(200);
}

const tokenOf = async (userId: string): Promise<string> =>
  (await stack.call<IssuedToken>("POST", "/v1/tokens", { body: { userId } })).body.token;

/** Attacks a user by a credential. */
const attackBy = (key: string, userId: string, budget: number): Promise<Attack> =>
  attack(
    async (radiusKm) => {
      const filter = radiusKm === null ? {} : { filter: { radiusKm } };
      const { status, body } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
        key,
        body: { userId, limit: 100, explain: true, ...filter },
      });
      if (status === 403) return null;
      expect(status, JSON.stringify(body)).toBe(200);
      return body;
    },
    places,
    oslo,
    budget,
  );

beforeAll(async () => {
  await startWithProducts(stack, oslo, products);
  for (const [consent, first, second] of [
    ["exact", left, right],
    ["approximate", left, right],
    ["city", left, elsewhere],
    ["none", left, elsewhere],
  ] as const) {
    await placeUser(`${consent}-1`, consent, first);
    await placeUser(`${consent}-2`, consent, second);
  }
});
afterAll(() => stack.stop());

describe("trilateration", () => {
  it("finds a user who allows it within meters, so that the attack is a real one", async () => {
    const found = await attackBy(await tokenOf("exact-1"), "exact-1", 200);
    expect([...found.estimates.keys()]).toEqual(["distances", "order", "radius"]);
    expect(errorKm(found, left)).toBeLessThan(0.02);
    // A user at the other end of the cell looks different.
    const other = await attackBy(await tokenOf("exact-2"), "exact-2", 20);
    const same = await attackBy(await tokenOf("exact-1"), "exact-1", 20);
    expect(differenceOf(same, other)).toBe(Number.POSITIVE_INFINITY);
  });

  it("S1: places no user better than about 1 km by 500 requests of a server key without `locations:read`", async () => {
    expect(distanceKm(left.lat, left.lon, right.lat, right.lon)).toBeGreaterThan(0.8);
    // Both at the same time, since scores change with the time of day.
    const [first, second] = await Promise.all([
      attackBy("dev-server-key", "exact-1", 500),
      attackBy("dev-server-key", "exact-2", 500),
    ]);
    expect(first.requests).toBe(500);
    // The answers do not differ for two users at opposite ends of a cell, so no method can tell where in it they are.
    expect(differenceOf(first, second)).toBeLessThan(maxDrift);
    expect(errorKm(first, left)).toBeGreaterThan(0.3);
    expect(errorKm(second, right)).toBeGreaterThan(0.3);
    expect(first.estimates.has("distances")).toBe(false);
    for (const { about } of first.transcript) expect(about).not.toMatch(/near_you|chosen_before|Oslo/);
  });

  it.each([
    ["approximate", left, right, 0.3],
    ["city", left, elsewhere, 1],
    ["none", left, elsewhere, 1],
  ] as const)(
    "S1: places a user no better than the consent %s, by a server key or by the user's own token",
    async (consent, first, second, minKm) => {
      for (const keyOf of [async () => "dev-server-key", tokenOf]) {
        const users = [`${consent}-1`, `${consent}-2`];
        const [one, other] = await Promise.all(
          users.map(async (user) => attackBy(await keyOf(user), user, 120)),
        );
        expect(differenceOf(one, other)).toBeLessThan(maxDrift);
        expect(errorKm(one, first)).toBeGreaterThan(minKm);
        expect(errorKm(other, second)).toBeGreaterThan(minKm);
      }
    },
  );

  it("S1: gives nothing to a publishable key and to a stranger's token", async () => {
    const stranger = await tokenOf("stranger");
    for (const key of ["dev-publishable-key", stranger])
      for (const userId of ["exact-1", "approximate-1", "city-1", "none-1"]) {
        const { estimates, transcript } = await attackBy(key, userId, 500);
        expect([estimates.size, transcript.length]).toEqual([0, 0]);
        for (const [method, path] of [
          ["GET", `/v1/users/${userId}`],
          ["GET", `/v1/users/${userId}/interactions`],
          ["GET", `/v1/users/${userId}/export`],
          ["GET", `/v1/users/${userId}/recommendations`],
          ["PUT", `/v1/users/${userId}/location`],
        ])
          expect(
            (await stack.call(method, path, { key, body: method === "PUT" ? near : undefined })).status,
          ).toBe(403);
      }
  });

  it("S1: gives no receipt of an exact list to a key that may not know the place", async () => {
    // Users of their own, since the receipts that are stored of a user in an hour are bounded.
    await placeUser("receipts-exact", "exact", left);
    await placeUser("receipts-approximate", "approximate", left);
    const list = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      key: await tokenOf("receipts-exact"),
      body: { userId: "receipts-exact" },
    });
    const path = `/v1/recommendations/${list.body.recommendationId}`;
    const read = (key: string) =>
      pollUntil(
        () => stack.call("GET", path, { key }),
        ({ status }) => status !== 404,
      );
    expect((await read("dev-server-key")).status).toBe(403);
    expect((await read("dev-admin-key")).status).toBe(200);
    const coarse = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      key: await tokenOf("receipts-approximate"),
      body: { userId: "receipts-approximate" },
    });
    const receipt = await pollUntil(
      () =>
        stack.call("GET", `/v1/recommendations/${coarse.body.recommendationId}`, { key: "dev-server-key" }),
      ({ status }) => status === 200,
    );
    expect(receipt.body.location).toMatchObject({ city: null, country: null, precision: "approximate" });
  });

  it("S1: sends each live connection what its own credential may know", async () => {
    const userId = "live";
    await placeUser(userId, "exact", left);
    const sockets = {
      server: await openLiveSocket(stack, userId, "dev-server-key"),
      own: await openLiveSocket(stack, userId, await tokenOf(userId)),
    };
    await stack.call("PUT", `/v1/users/${userId}/location`, { body: right });
    await pollUntil(
      async () => Object.values(sockets).map(({ messages }) => messages.length),
      (counts) => counts.every((n) => n > 0),
    );
    const [server, own] = [sockets.server, sockets.own].map(
      ({ messages }): RecommendationAnswer => JSON.parse(messages[0]),
    );
    for (const socket of Object.values(sockets)) socket.close();
    expect(own.location).toMatchObject({ city: "Oslo", precision: "exact" });
    expect(own.items[0].distanceKm).toEqual(expect.any(Number));
    expect(server.location).toMatchObject({ city: null, country: null, precision: "approximate" });
    for (const { distanceKm: km } of server.items) expect(km).toBeNull();
  });

  it("S1: shows the home and locations of users only to keys with `locations:read`", async () => {
    const keyWith = async (scopes: string[]) =>
      (
        await stack.call<{ key: string }>("POST", "/v1/keys", {
          body: { role: "server", application: "demo", scopes },
        })
      ).body.key;
    const [blind, seeing] = [
      await keyWith(["people:read", "people:write"]),
      await keyWith(["people:read", "locations:read"]),
    ];
    const event = { eventId: "e", userId: "exact-1", type: "view", productId: "oslo-1", location: left };
    await stack.call("POST", "/v1/events", { body: { events: [event] } });
    await pollUntil(
      () => stack.call<{ items: unknown[] }>("GET", "/v1/users/exact-1/interactions"),
      ({ body }) => body.items.length === 1,
    );
    const read = async (key: string) =>
      Promise.all(
        ["exact-1", "exact-1/interactions", "exact-1/export?limit=500", "?limit=500"].map(async (path) =>
          JSON.stringify(
            (await stack.call("GET", `/v1/users${path.startsWith("?") ? "" : "/"}${path}`, { key })).body,
          ),
        ),
      );
    const digits = String(left.lat);
    for (const text of await read(seeing)) expect(text).toContain(digits);
    for (const text of await read(blind)) {
      expect(text).not.toContain(digits);
      expect(text).not.toMatch(/"home"|"location":\{"lat"/);
    }
    const patched = await stack.call("PATCH", "/v1/users/exact-1", { key: blind, body: {} });
    expect(patched.status).toBe(200);
    expect(patched.body).not.toHaveProperty("home");
  });
});
