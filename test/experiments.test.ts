import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Experiment, ExperimentResults } from "../shared/contracts/experiment.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { startWithProducts } from "./support/import-products.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";

const stack = new TestStack({
  ...exactByDefault,
  "user-session": { ...exactByDefault["user-session"], CLICK_WINDOW_SECONDS: "2" },
});
const key = "dev-server-key";

beforeAll(() => startWithProducts(stack, oslo, generateProducts("oslo", oslo, 40)));
afterAll(() => stack.stop());

const recommend = async (userId: string) =>
  (
    await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      key,
      body: { userId, location: oslo, limit: 5 },
    })
  ).body;
const resultsOf = async (name: string) =>
  (await stack.call<ExperimentResults>("GET", `/v1/experiments/${name}/results`)).body;

describe("an experiment", () => {
  it("counts lists, purchases and what they were worth, by user, after the click window", async () => {
    const { body } = await stack.call<Experiment>("PUT", "/v1/experiments/worth", {
      body: {
        variants: [{ name: "control" }, { name: "few", parameters: { candidates: 20 } }],
        goal: "revenue",
        guardrails: ["conversion", "clickThrough"],
        currency: "EUR",
      },
    });
    expect(body.status).toBe("running");
    const expected = new Map([
      ["control", { users: 0, revenue: 0, buyers: 0 }],
      ["few", { users: 0, revenue: 0, buyers: 0 }],
    ]);
    for (let i = 0; i < 12; i++) {
      const userId = `user-${i}`;
      const { recommendationId, variant, items } = await recommend(userId);
      expect(variant.startsWith(`${body.run}/`)).toBe(true);
      const counted = expected.get(variant.slice(body.run.length + 1));
      if (!counted) throw new Error(`unknown variant ${variant}`);
      counted.users++;
      if (i % 2 === 0) continue;
      const purchase = { userId, type: "purchase", productId: items[0].productId, recommendationId };
      const value = { value: 10 + i, currency: "EUR", quantity: 2 };
      const sent = await stack.call("POST", "/v1/events", {
        key,
        body: { events: [{ eventId: `p${i}`, ...purchase, ...value }] },
      });
      expect(sent.status).toBe(202);
      counted.revenue += 10 + i;
      counted.buyers++;
      if (i > 1) continue;
      const { recommendationId: _, ...refund } = { ...purchase, type: "refund", value: 4, currency: "EUR" };
      const refunded = await stack.call("POST", "/v1/events", {
        key,
        body: { events: [{ eventId: `r${i}`, ...refund }] },
      });
      expect(refunded.status).toBe(202);
      counted.revenue -= 4;
    }
    const { variants } = await pollUntil(
      () => resultsOf("worth"),
      (results) => results.variants.reduce((sum, { users }) => sum + users, 0) === 12,
      60,
    );
    const { body: history } = await stack.call<{ items: { type: string }[] }>(
      "GET",
      "/v1/users/user-1/interactions",
    );
    expect(history.items.map(({ type }) => type).sort()).toEqual(["purchase", "refund"]);
    for (const { name, users, lists, metrics } of variants) {
      const counted = expected.get(name);
      expect([users, lists]).toEqual([counted?.users, counted?.users]);
      const mean = (sum = 0): number => (users === 0 ? 0 : sum / users);
      const [revenue, conversion, clickThrough] = metrics.map(({ value }) => value);
      expect(revenue).toBeCloseTo(mean(counted?.revenue), 9);
      expect(conversion).toBeCloseTo(mean(counted?.buyers), 9);
      expect(clickThrough).toBeCloseTo(mean(counted?.buyers), 9);
    }
    const svg = await stack.call<string>("GET", "/v1/experiments/worth/results.svg");
    expect([svg.status, svg.headers.get("content-type")]).toEqual([200, "image/svg+xml; charset=utf-8"]);
    expect(svg.body).toContain("revenue for a user");
    expect((await stack.call("DELETE", "/v1/experiments/worth")).status).toBe(204);
    expect((await recommend("user-1")).variant).toBe("default");
  });

  it("refuses values that say nothing, and names the field", async () => {
    const sent = await stack.call<{ errors: { message: string }[] }>("POST", "/v1/events", {
      key,
      body: {
        events: [
          { eventId: "a", userId: "u", type: "purchase", productId: "p", value: 1.005, currency: "EUR" },
          { eventId: "b", userId: "u", type: "purchase", productId: "p", value: 1 },
        ],
      },
    });
    expect(sent.status).toBe(422);
    expect(JSON.stringify(sent.body)).toContain("at most 2 digits after the decimal point");
    expect(JSON.stringify(sent.body)).toContain("must be given with `value`");
  });
});
