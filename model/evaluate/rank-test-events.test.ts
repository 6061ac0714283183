import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { linearRanker, popularityRanker } from "../pipeline/fallback-rankers.ts";
import { type CountingRules, servingCounts } from "../replay/tile-pyramid.ts";
import { simulate } from "../simulate/simulate.ts";
import { summarizeEvaluation } from "./evaluation.ts";
import { rankTestEvents, type TestRanks } from "./rank-test-events.ts";
import { evaluationReport } from "./report.ts";

/** The size of the marketplace; `npm run test:long` takes more. */
const size =
  process.env.VICINITY_LONG === "1"
    ? { products: 900, users: 25, events: 1100, days: 40 }
    : { products: 600, users: 15, events: 500, days: 40 };
const market = simulate(size, 3, 1_760_000_000).dataset;
/** All test events have one type, so that each of them is ranked, and no dismissal hides a product. */
const dataset: Dataset = {
  ...market,
  train: market.train.filter(({ type }) => type !== "dismiss"),
  valid: market.valid.filter(({ type }) => type !== "dismiss"),
  test: market.test.map((event) => ({ ...event, type: "purchase" as const })),
};
const rankLinear = (test: DatasetEvent[], counting?: CountingRules): Promise<TestRanks> =>
  rankTestEvents(
    { ...dataset, test },
    [linearRanker],
    () => 0,
    () => undefined,
    1,
    counting,
  );

describe("rankTestEvents", () => {
  const { test } = dataset;
  const ranksPromise = rankLinear(test);

  it("ranks by the counts of others that it is told, and counting methods by all events", async () => {
    const [every, serving] = [await ranksPromise, await rankLinear(test, servingCounts)];
    const ranksBy = (method: string, { events }: TestRanks) => events.map(({ ranks }) => ranks[method]);
    expect(ranksBy("pipeline", serving)).not.toEqual(ranksBy("pipeline", every));
    expect(ranksBy("popularity", serving)).toEqual(ranksBy("popularity", every));
  });

  it("ranks every event by every method", async () => {
    const ranks = await ranksPromise;
    expect(ranks.events.length).toBe(test.length);
    expect(ranks.events.map((each) => each.userId)).toEqual(test.map((event) => event.userId));
    expect(Object.keys(ranks.events[0].ranks).sort()).toEqual([
      "distance",
      "frequency",
      "frequencyMarkov",
      "itemTransitions",
      "pipeline",
      "popularity",
    ]);
  });

  it("ranks an event by earlier events only", async () => {
    const ranks = await ranksPromise;
    const half = Math.floor(test.length / 2);
    const items = [...dataset.items.keys()];
    const other = test.map((event, i) =>
      i < half ? event : { ...event, itemId: items[(i * 31) % items.length], lat: 10, lon: 10 },
    );
    const changed = await rankLinear(other);
    expect(changed.events.slice(0, half)).toEqual(ranks.events.slice(0, half));
    expect(changed.events.slice(half)).not.toEqual(ranks.events.slice(half));
  });

  it("ignores an event's own coordinates when ranking it", async () => {
    const ranks = await ranksPromise;
    const last = test.length - 1;
    const moved = test.map((event, i) => (i === last ? { ...event, lat: -41, lon: 174 } : event));
    const changed = await rankLinear(moved);
    expect(changed.events[last]).toEqual(ranks.events[last]);
  });

  it("ignores the test events of other users", async () => {
    const ranks = await ranksPromise;
    const userId = test[test.length - 1].userId;
    const alone = await rankLinear(test.filter((event) => event.userId === userId));
    expect(alone.events).toEqual(ranks.events.filter((each) => each.userId === userId));
  });

  it("counts a product outside the candidates as missed, and excludes cold products from ranksWithoutCold", async () => {
    const ranks = await ranksPromise;
    const targets = test.map((event) => event.itemId);
    const before = new Set([...dataset.train, ...dataset.valid].map((event) => event.itemId));
    ranks.events.forEach((each, i) => {
      expect(each.cold).toBe(!before.has(targets[i]) && !each.revisit);
      for (const name of Object.keys(each.ranks)) {
        const [rank] = each.ranks[name];
        const [withoutCold] = each.ranksWithoutCold[name];
        if (each.cold) expect(withoutCold).toBe(Number.POSITIVE_INFINITY);
        else expect(withoutCold).toBeLessThanOrEqual(rank);
      }
    });
    expect(ranks.events.some((each) => each.cold)).toBe(true);
    const missed = ranks.events.filter((each) => each.ranks.pipeline[0] === Number.POSITIVE_INFINITY);
    expect(missed.length).toBe(ranks.events.length - ranks.eventsRecalledAt[500]);
  });

  it("ranks the same events with each seed's model", async () => {
    const ranks = await ranksPromise;
    const both = await rankTestEvents(
      dataset,
      [linearRanker, popularityRanker],
      () => 0,
      () => undefined,
    );
    expect(both.events.map((each) => each.ranks.pipeline[0])).toEqual(
      ranks.events.map((each) => each.ranks.pipeline[0]),
    );
    expect(both.eventsRecalledAt).toEqual(ranks.eventsRecalledAt);
    const evaluation = summarizeEvaluation("demo", dataset.items.size, [1, 2], both);
    expect(evaluation.methods.pipeline.overall.n).toBe(test.length);
    expect(evaluation.methods.pipeline.revisit.n + evaluation.methods.pipeline.first.n).toBe(test.length);
    expect(evaluation.gains.popularity.ndcg10).toBeCloseTo(
      evaluation.methods.pipeline.overall.ndcg10 - evaluation.methods.popularity.overall.ndcg10,
      12,
    );
    expect(evaluationReport(evaluation)).toContain("mean of seeds 1, 2");
    expect(JSON.parse(JSON.stringify(evaluation))).toEqual(evaluation);
  });

  it("reports that there is no test event", async () => {
    const evaluation = summarizeEvaluation("demo", dataset.items.size, [1], await rankLinear([]));
    expect(evaluationReport(evaluation)).toContain("The test part has no event to rank");
  });
});
