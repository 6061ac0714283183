import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Vicinity } from "../../client/vicinity.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { waitForNearbyProducts } from "../support/import-products.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
let vicinity: Vicinity;

beforeAll(async () => {
  await stack.start();
  vicinity = new Vicinity({ url: stack.url, credential: "dev-admin-key" });
});
afterAll(() => stack.stop());

describe("ids of printable Unicode", () => {
  const userIds = ["a@b.com", "auth0|123", "ünï 🍞", "a/b:c?d#e%2F"];
  const productIds = ["gid://shopify/Product/1", "ABC/1-2", "ünï", "50% off: 用户", "x".repeat(120)];

  it("E8: name products and users in every route, store and answer", async () => {
    const products = generateProducts("unicode", oslo, productIds.length).map((product, i) => ({
      ...product,
      id: productIds[i],
    }));
    expect(await vicinity.products.putMany(products)).toMatchObject({ accepted: productIds.length });
    await waitForNearbyProducts(stack, oslo, products);
    for (const id of productIds) {
      expect((await vicinity.products.get(id)).id).toBe(id);
      expect((await vicinity.products.similar(id)).items.map(({ productId }) => productId)).not.toContain(id);
      await vicinity.products.patch(id, { title: `New title of ${id}` });
    }
    for (const userId of userIds) {
      await vicinity.users.put(userId, { home: oslo });
      expect((await vicinity.users.get(userId)).id).toBe(userId);
      const { token } = await vicinity.issueToken(userId);
      const own = new Vicinity({ url: stack.url, credential: token });
      const events = productIds.map((productId, i) => ({
        eventId: `${productId}/${i}`,
        userId,
        type: "click" as const,
        productId,
      }));
      expect(await own.sendEvents(events)).toMatchObject({ accepted: events.length, warnings: [] });
      await own.users.setLocation(userId, oslo);
      const { items } = await own.recommend({ userId, exclude: [productIds[0]] });
      const shown = items.map(({ productId }) => productId);
      expect(new Set(shown)).toEqual(new Set(productIds.slice(1)));
      const history = await pollUntil(
        async () => {
          const found: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await vicinity.users.listInteractions(userId, { limit: 2, cursor });
            found.push(...page.items.map(({ eventId }) => eventId));
            cursor = page.nextCursor;
          } while (cursor !== undefined);
          return found;
        },
        (found) => found.length === events.length,
      );
      expect([...history].sort()).toEqual(events.map(({ eventId }) => eventId).sort());
    }
    const listed = await vicinity.users.list({ limit: 100 });
    expect(new Set(listed.items.map(({ id }) => id))).toEqual(new Set(userIds));
    const erasure = await vicinity.users.erase(userIds[3]);
    expect((await vicinity.users.getErasure(erasure.id)).id).toBe(erasure.id);
    for (const id of productIds) {
      await vicinity.products.remove(id);
      await expect(vicinity.products.get(id)).rejects.toMatchObject({ problem: { status: 404 } });
    }
  });

  it("E8: name the user of a live connection", async () => {
    const userId = userIds[2];
    const { token } = await vicinity.issueToken(userId);
    const received = new Promise<RecommendationAnswer>((resolve, reject) => {
      const url = `${stack.url.replace(/^http/, "ws")}v1/users/${encodeURIComponent(userId)}/live`;
      const socket = new WebSocket(url, ["vicinity", token]);
      socket.addEventListener("error", reject);
      socket.addEventListener("message", ({ data }) => {
        resolve(JSON.parse(String(data)));
        socket.close();
      });
      socket.addEventListener("open", () => void vicinity.users.setLocation(userId, oslo).catch(reject));
    });
    expect(await received).toHaveProperty("recommendationId");
  });

  it("E7: are not `.` or `..`, in bulk and events as elsewhere", async () => {
    for (const id of [".", ".."]) {
      const event = { eventId: "e", userId: "u", type: "view", productId: "p" };
      for (const wrong of [{ eventId: id }, { userId: id }, { productId: id }]) {
        const answer = await stack.call("POST", "/v1/events", { body: { events: [{ ...event, ...wrong }] } });
        expect(answer.status, JSON.stringify(wrong)).toBeGreaterThanOrEqual(400);
        const bulk = await stack.call("POST", "/v1/events/bulk", {
          body: JSON.stringify({ ...event, ...wrong }),
          headers: { "content-type": "application/x-ndjson" },
        });
        expect(JSON.stringify(bulk.body)).toContain(Object.keys(wrong)[0]);
      }
      const product = await stack.call("POST", "/v1/products/bulk", {
        body: JSON.stringify({ id, title: "Dots" }),
        headers: { "content-type": "application/x-ndjson" },
      });
      expect(JSON.stringify(product.body)).toContain("got `.");
      expect((await stack.call("POST", "/v1/recommendations", { body: { userId: id } })).status).toBe(400);
      expect((await stack.call("POST", "/v1/tokens", { body: { userId: id } })).status).toBe(400);
    }
  });
});
