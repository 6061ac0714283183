import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AnonymousSession } from "../../client/session.ts";
import type { CreatedKey, IssuedToken } from "../../shared/contracts/credential.ts";
import type { Erasure } from "../../shared/contracts/erasure.ts";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { generateKey } from "../../workers/gateway/keys/key.ts";
import { exportUserData } from "../support/export-user-data.ts";
import { startWithProducts } from "../support/import-products.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 10);

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

const createKey = async (body: object): Promise<CreatedKey> =>
  (await stack.call<CreatedKey>("POST", "/v1/keys", { body })).body;
const issueToken = async (userId: string): Promise<string> =>
  (await stack.call<IssuedToken>("POST", "/v1/tokens", { body: { userId } })).body.token;

describe("a publishable key", () => {
  it("S1, S2: acts for no named user, and reads products and lists", async () => {
    const { key, id } = await createKey({ role: "publishable", name: "page" });
    await stack.call("PUT", "/v1/users/ann/location", { body: oslo });
    const receipt = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId: "ann" },
    });
    const event = { eventId: "e1", userId: "ann", type: "purchase", productId: "oslo-1" };
    const refused: [string, string, unknown?][] = [
      ["POST", "/v1/recommendations", { userId: "ann", explain: true }],
      ["GET", "/v1/users/ann/recommendations"],
      ["POST", "/v1/events", { events: [event] }],
      ["PUT", "/v1/users/ann/location", oslo],
      ["GET", "/v1/users/ann/live"],
      ["GET", "/v1/users/ann"],
      ["GET", "/v1/users/ann/export"],
      ["GET", "/v1/users/ann/interactions"],
      ["GET", `/v1/recommendations/${receipt.body.recommendationId}`],
      ["POST", "/v1/tokens", { userId: "ann" }],
    ];
    const near = `lat=${oslo.lat}&lon=${oslo.lon}`;
    const allowed = [
      "/v1/products",
      "/v1/products/oslo-1",
      "/v1/products/oslo-1/similar",
      `/v1/trending?${near}`,
      `/v1/locations/nearby?${near}`,
      `/v1/locations/resolve?${near}`,
    ];
    for (const credential of [key, "dev-publishable-key"]) {
      for (const [method, path, body] of refused) {
        const answer = await stack.call(method, path, { key: credential, body });
        expect(answer.status, `${method} ${path}`).toBe(403);
        expect(JSON.stringify(answer.body)).not.toContain("distanceKm");
      }
      for (const path of allowed)
        expect((await stack.call("GET", path, { key: credential })).status, path).toBe(200);
    }
    expect((await stack.call("DELETE", `/v1/keys/${id}`)).status).toBe(204);
    expect((await stack.call("GET", "/v1/products", { key })).status).toBe(401);
  });
});

describe("a user token", () => {
  it("S1, S2: acts for its own user only", async () => {
    const key = await issueToken("bob");
    const event = (userId: string) => ({ eventId: `e-${userId}`, userId, type: "view", productId: "oslo-1" });
    const calls: [string, (userId: string) => string, (userId: string) => unknown][] = [
      ["POST", () => "/v1/recommendations", (userId) => ({ userId })],
      ["GET", (userId) => `/v1/users/${userId}/recommendations`, () => undefined],
      ["POST", () => "/v1/events", (userId) => ({ events: [event(userId)] })],
      ["PUT", (userId) => `/v1/users/${userId}/location`, () => oslo],
      ["GET", (userId) => `/v1/users/${userId}/export`, () => undefined],
      ["GET", (userId) => `/v1/users/${userId}`, () => undefined],
    ];
    for (const userId of ["ann", "bob"]) await stack.call("PUT", `/v1/users/${userId}`, { body: {} });
    for (const [method, path, body] of calls) {
      const own = await stack.call(method, path("bob"), { key, body: body("bob") });
      expect(own.status, `${method} ${path("bob")}`).toBeLessThan(300);
      const other = await stack.call(method, path("ann"), { key, body: body("ann") });
      expect(other.status, `${method} ${path("ann")}`).toBe(403);
    }
    const live = await stack.call("GET", "/v1/users/ann/live", { key });
    expect(live.status).toBe(403);
  });
});

describe("a token from before an erasure of its user", () => {
  it("S10: is refused wherever it reads or writes the user, and a later token is not", async () => {
    const old = await issueToken("eve");
    const event = (eventId: string) => ({
      events: [{ eventId, userId: "eve", type: "view", productId: "oslo-1" }],
    });
    await stack.call("PUT", "/v1/users/eve", { body: {} });
    expect((await stack.call("POST", "/v1/events", { key: old, body: event("e1") })).status).toBe(202);
    const messages: string[] = [];
    const socket = new WebSocket(`${stack.url.replace("http", "ws")}v1/users/eve/live`, ["vicinity", old]);
    socket.addEventListener("message", ({ data }) => messages.push(String(data)));
    const closed = new Promise<void>((resolve) => socket.addEventListener("close", () => resolve()));
    await new Promise<void>((resolve) => socket.addEventListener("open", () => resolve()));

    const { body: erasure } = await stack.call<Erasure>("DELETE", "/v1/users/eve");
    await pollUntil(
      () => stack.call<Erasure>("GET", `/v1/erasures/${erasure.id}`),
      ({ body }) => body.status === "done",
      30,
    );
    await closed;
    // The erased id has a profile again, which the old token must not read.
    await stack.call("PUT", "/v1/users/eve", { body: { attributes: { nickname: "new eve" } } });
    const calls: [string, string, unknown?][] = [
      ["POST", "/v1/recommendations", { userId: "eve" }],
      ["POST", "/v1/recommendations", { userId: "eve", budgetMs: 1 }],
      ["GET", "/v1/users/eve/recommendations"],
      ["POST", "/v1/events", event("e2")],
      ["PUT", "/v1/users/eve/location", oslo],
      ["GET", "/v1/users/eve/export"],
      ["GET", "/v1/users/eve"],
    ];
    for (const [method, path, body] of calls) {
      const answer = await stack.call(method, path, { key: old, body });
      // Without the user object's answer in time, a list is recommended to nobody in particular.
      const allowed = JSON.stringify(body ?? {}).includes("budgetMs") ? [200, 401] : [401];
      expect(allowed, `${method} ${path}: ${JSON.stringify(answer.body)}`).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toContain("new eve");
    }
    const live = await stack.call("GET", "/v1/users/eve/live", {
      key: old,
      headers: { upgrade: "websocket" },
    });
    expect(live.status).toBe(401);
    // What is stored is the new profile alone, and the copy of its settings in the user object.
    const stored = await exportUserData(stack, "eve");
    expect(stored.map(({ store }) => store)).toEqual(["profile", "memory"]);

    const later = await issueToken("eve");
    for (const [method, path, body] of calls) {
      const answer = await stack.call<EventReceipt>(method, path, { key: later, body });
      expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    }
    expect(messages.join()).not.toContain("new eve");
  });
});

describe("an anonymous session", () => {
  it("S1, S2: acts for its own user by the client, renews itself, and ends with its key", async () => {
    const { key, id } = await createKey({ role: "publishable", name: "page" });
    const texts = new Map<string, string>();
    const storage = {
      getItem: (name: string) => texts.get(name) ?? null,
      setItem: (name: string, text: string) => void texts.set(name, text),
      removeItem: (name: string) => void texts.delete(name),
    };
    const clock = { at: Date.now() };
    const session = new AnonymousSession({
      url: stack.url,
      publishableKey: key,
      storage,
      now: () => clock.at,
    });
    const { client, userId, token } = await session.open();
    const events = [{ eventId: "s1", userId, type: "view" as const, productId: "oslo-1" }];
    expect(await client.sendEvents(events)).toMatchObject({ accepted: 1 });
    expect((await client.recommend({ userId, location: oslo })).items.length).toBeGreaterThan(0);
    await expect(client.recommend({ userId: "ann" })).rejects.toThrow("scope");

    clock.at += 4 * 86_400_000;
    const renewed = await session.open();
    expect([renewed.userId, renewed.token === token]).toEqual([userId, false]);
    expect((await exportUserData(stack, userId, renewed.token)).length).toBeGreaterThan(0);

    await stack.call("DELETE", `/v1/keys/${id}`);
    for (const credential of [token, renewed.token])
      expect((await stack.call("GET", "/v1/products", { key: credential })).status).toBe(401);
    await expect(
      new AnonymousSession({
        url: stack.url,
        publishableKey: key,
        storage: { ...storage, getItem: () => null },
      }).open(),
    ).rejects.toThrow("credential");
  });

  it("S10: starts again after its user was erased, with another user", async () => {
    const { key } = await createKey({ role: "publishable", name: "page" });
    const texts = new Map<string, string>();
    const session = new AnonymousSession({
      url: stack.url,
      publishableKey: key,
      storage: {
        getItem: (name) => texts.get(name) ?? null,
        setItem: (name, text) => void texts.set(name, text),
        removeItem: (name) => void texts.delete(name),
      },
    });
    const { client, userId } = await session.open();
    await client.recommend({ userId, location: oslo });
    expect((await stack.call("DELETE", `/v1/users/${userId}`)).status).toBe(202);
    await expect(client.recommend({ userId, location: oslo })).rejects.toMatchObject({
      problem: { status: 401 },
    });
    const next = await session.open();
    expect(next.userId).not.toBe(userId);
    expect(
      (await next.client.recommend({ userId: next.userId, location: oslo })).items.length,
    ).toBeGreaterThan(0);
  });
});

describe("a key with `people:write` alone", () => {
  it("S16: changes a profile, and reads nothing of it", async () => {
    await stack.call("PUT", "/v1/users/dora", { body: { home: oslo, consent: { location: "exact" } } });
    const { key } = await createKey({ role: "server", scopes: ["people:write"] });
    const patched = await stack.call("PATCH", "/v1/users/dora", { key, body: {} });
    expect([patched.status, patched.body]).toEqual([204, ""]);
    expect((await stack.call("GET", "/v1/users/dora", { key })).status).toBe(403);
    expect((await stack.call("GET", "/v1/users/dora")).body).toMatchObject({ home: oslo });
  });
});

describe("credentials of a stranger", () => {
  it("S14: are refused without a look-up, or a bounded number of them, and take no access from others", async () => {
    const { key } = await createKey({ role: "server" });
    const headers = { "cf-connecting-ip": "192.0.2.7" };
    const ask = async (credential: string) =>
      (await stack.call("GET", "/v1/products?limit=1", { key: credential, headers })).status;
    const counts = new Map<number, number>();
    expect(await ask(key)).toBe(200);
    for (let i = 0; i < 100; i++) {
      const status = await ask(generateKey("server"));
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ 401: 20, 429: 80 });
    expect(await ask(`${key.slice(0, -1)}!`)).toBe(401);
    expect([await ask(key), await ask(await issueToken("bob"))]).toEqual([200, 200]);
  });
});
