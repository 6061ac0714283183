import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey, IssuedToken } from "../../shared/contracts/credential.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { importProducts, waitForNearbyProducts } from "../support/import-products.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 10);

beforeAll(async () => {
  await stack.start();
  await importProducts(stack, products);
  await waitForNearbyProducts(stack, oslo, products);
});
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
