import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Replay } from "../shared/contracts/receipt.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { differencesFrom, guideExamples } from "./support/guide-examples.ts";
import { startWithProducts } from "./support/import-products.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();

beforeAll(() => startWithProducts(stack, oslo, generateProducts("oslo", oslo, 30)));
afterAll(() => stack.stop());

describe("docs/guides/explain.md", () => {
  it("shows what the API answers", async () => {
    let id = "";
    const examples = guideExamples("explain");
    expect(examples).toHaveLength(5);
    for (const { method, path, headers, body, answer } of examples) {
      const sent = await stack.call(method, path.replace("{id}", id), {
        headers: { "content-type": "application/json", ...headers },
        body,
      });
      expect(sent.status, JSON.stringify(sent.body)).toBe(200);
      expect(differencesFrom(answer, sent.body), `${method} ${path}`).toEqual([]);
      id = String(sent.body.recommendationId);
    }
  });
});

describe("a replay", () => {
  it("gives the same list after events and a deletion", async () => {
    const wanted = { userId: "bea", location: oslo, limit: 10, explain: true };
    const { body: list } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: wanted,
    });
    const [first, second] = list.items.map(({ productId }) => productId);
    const events = ["click", "purchase"].map((type) => ({
      ...{ eventId: type, userId: "bea", productId: first, type },
    }));
    expect((await stack.call("POST", "/v1/events", { body: { events } })).status).toBe(202);
    expect((await stack.call("DELETE", `/v1/products/${second}`)).status).toBe(204);
    const { body: later } = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: wanted,
    });
    const replays = await Promise.all(
      [list, later].map(async ({ recommendationId }) => {
        const path = `/v1/recommendations/${recommendationId}/replay`;
        return (await stack.call<Replay>("POST", path)).body;
      }),
    );
    const idsOf = (items: { productId: string }[]): string[] => items.map(({ productId }) => productId);
    expect(replays.map(({ same, gone }) => ({ same, gone }))).toEqual([
      { same: true, gone: [] },
      { same: true, gone: [] },
    ]);
    expect(replays.map(({ items }) => idsOf(items))).toEqual([idsOf(list.items), idsOf(later.items)]);
  });
});
