import { afterAll, beforeAll, expect, it } from "vitest";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { differencesFrom, guideExamples } from "./support/guide-examples.ts";
import { startWithProducts } from "./support/import-products.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";

const stack = new TestStack(exactByDefault);
beforeAll(() => startWithProducts(stack, oslo, generateProducts("oslo", oslo, 40)));
afterAll(() => stack.stop());

it("answers each example of the guide to experiments as the guide says", async () => {
  let recommended: RecommendationAnswer | undefined;
  let model = "";
  const examples = guideExamples("experiments");
  expect(examples.length).toBeGreaterThan(7);
  for (const { method, path, body, answer } of examples) {
    const text = body
      ?.replace("{productId}", recommended?.items[0].productId ?? "")
      .replace("{recommendationId}", recommended?.recommendationId ?? "")
      .replaceAll(/\{(model|otherModel)\}/g, model)
      .replace("2026-01-31T12:00:00Z", new Date().toISOString());
    // Events reach the history after a while.
    const found = await pollUntil(
      () =>
        stack.call(method, path, {
          ...(text === undefined ? {} : { body: text, headers: { "content-type": "application/json" } }),
        }),
      (each) => method !== "GET" || answer === undefined || differencesFrom(answer, each.body).length === 0,
      30,
    );
    expect(found.status, `${method} ${path}: ${JSON.stringify(found.body)}`).toBeLessThan(300);
    if (answer !== undefined) expect(differencesFrom(answer, found.body), `${method} ${path}`).toEqual([]);
    if (path === "/v1/models")
      model = (found.body as unknown as { items: { version: string }[] }).items[0].version;
    if (path === "/v1/recommendations") recommended = found.body as unknown as RecommendationAnswer;
  }
}, 120_000);
