import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import { utcOffsetAt } from "../shared/geo/local-time.ts";
import { differencesFrom, type GuideExample, guideExamples } from "./support/guide-examples.ts";
import { pollUntil } from "./support/polling.ts";
import { oslo } from "./support/products.ts";
import { exactByDefault, TestStack } from "./support/test-stack.ts";

const stack = new TestStack(exactByDefault);
beforeAll(() => stack.start());
afterAll(() => stack.stop());

interface Shown {
  items?: { rank?: number }[];
}

/**
 * Returns where an answer differs from what the guide shows; none if it has these items and no others. Items are in this
 * order if the guide shows their ranks.
 */
function listDifferences(shown: Shown, found: Partial<RecommendationAnswer>): string[] {
  const { items, ...rest } = shown;
  if (!items) return differencesFrom(shown, found);
  const left = [...(found.items ?? [])];
  const missing = items.filter((item) => {
    const at = left.findIndex((each) => differencesFrom(item, each).length === 0);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (missing.length > 0 || left.length > 0)
    return [`items: ${JSON.stringify(found.items?.map(({ productId }) => productId) ?? found)}`];
  const inOrder = items.some(({ rank }) => rank !== undefined);
  return [...differencesFrom(rest, found), ...(inOrder ? differencesFrom(items, found.items) : [])];
}

/** Returns a place where it is morning now. */
function morningPlace(): { lat: number; lon: number } {
  const now = Date.now() / 1000;
  for (let lon = -175; lon < 180; lon += 10) {
    const hour = new Date((now + utcOffsetAt(0, lon, now)) * 1000).getUTCHours();
    if (hour >= 5 && hour < 11) return { lat: 0, lon };
  }
  throw new Error("it is morning nowhere");
}

/** Sends the request of an example, until the answer is the one that the guide shows: events and products need a moment. */
async function answerOf({ method, path, headers, body, answer }: GuideExample, next: string) {
  const text = body
    ?.replace("{next}", next)
    .replace(/"location": \{[^}]*\}/, (here) =>
      body.includes("hour >=") ? `"location": ${JSON.stringify(morningPlace())}` : here,
    );
  const found = await pollUntil(
    () =>
      stack.call(method, path, {
        headers: { "content-type": "application/json", ...headers },
        ...(text === undefined ? {} : { body: text }),
      }),
    ({ status, body: answered }) =>
      status < 300 && (answer === undefined || listDifferences(answer as Shown, answered).length === 0),
    20,
  );
  expect(found.status, `${body}: ${JSON.stringify(found.body)}`).toBeLessThan(300);
  if (answer !== undefined) expect(listDifferences(answer as Shown, found.body), body).toEqual([]);
  return found.body;
}

describe("docs/guides/rules.md", () => {
  it("shows what the API answers", async () => {
    const examples = guideExamples("rules");
    expect(examples.filter(({ path }) => path === "/v1/recommendations").length).toBeGreaterThanOrEqual(20);
    let next = "";
    for (const example of examples) {
      const found: Partial<RecommendationAnswer> = await answerOf(example, next);
      if (typeof found.next === "string") next = found.next;
    }
  }, 120_000);
});

describe("docs/guides/lists.md", () => {
  const guide = readFileSync(join(import.meta.dirname, "../docs/guides/lists.md"), "utf8");
  const blocks = [...guide.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) => JSON.parse(text));
  const recommend = (body: object) =>
    stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId: "ann", location: oslo, ...body },
    });

  it("has settings of scenarios and rules that the API takes", async () => {
    const [searched, ...settings] = blocks;
    expect(settings).toHaveLength(2);
    expect(Object.keys((await recommend({})).body.searched)).toEqual(Object.keys(searched.searched));
    for (const each of settings) {
      const stored = await stack.call("PUT", "/v1/scenarios/lunch", { body: each });
      expect(stored.status, JSON.stringify(stored.body)).toBe(200);
      expect(await recommend({ scenario: "lunch" })).toMatchObject({ status: 200 });
    }
    expect(await stack.call("POST", "/v1/scenarios/lunch/rollback")).toMatchObject({ status: 200 });
    const requests = [...guide.matchAll(/`(\{"userId".*?\})`/g)].map(([, text]) => JSON.parse(text));
    expect(requests).not.toEqual([]);
    for (const each of requests) expect(await recommend(each)).toMatchObject({ status: 200 });
  });
});
