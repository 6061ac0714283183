import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { linearRanker, popularityRanker } from "../pipeline/fallback.ts";
import { simulate } from "../simulate/simulate.ts";
import { type Answers, ask } from "./evaluate.ts";
import { evaluationOf } from "./evaluation.ts";
import { reportOf } from "./report.ts";

const market = simulate({ products: 900, users: 25, events: 1100, days: 40 }, 3, 1_760_000_000).dataset;
/** All of one type, so that each event is asked for. */
const dataset: Dataset = {
  ...market,
  test: market.test.map((event) => ({ ...event, type: "purchase" as const })),
};
const askLinear = (test: DatasetEvent[]): Promise<Answers> =>
  ask(
    { ...dataset, test },
    [linearRanker],
    () => 0,
    () => undefined,
  );

describe("ask", () => {
  const { test } = dataset;
  const asking = askLinear(test);

  it("asks for every event, by every method", async () => {
    const answers = await asking;
    expect(answers.asked.length).toBe(test.length);
    expect(answers.asked.map((each) => each.person)).toEqual(test.map((event) => event.userId));
    expect(Object.keys(answers.asked[0].ranks).sort()).toEqual([
      "distance",
      "frequency",
      "frequencyMarkov",
      "neighbours",
      "pipeline",
      "popularity",
    ]);
  });

  it("knows nothing of the future: another one changes no earlier answer", async () => {
    const answers = await asking;
    const half = Math.floor(test.length / 2);
    const items = [...dataset.items.keys()];
    const other = test.map((event, i) =>
      i < half ? event : { ...event, itemId: items[(i * 31) % items.length], lat: 10, lon: 10 },
    );
    const found = await askLinear(other);
    expect(found.asked.slice(0, half)).toEqual(answers.asked.slice(0, half));
    expect(found.asked.slice(half)).not.toEqual(answers.asked.slice(half));
  });

  it("does not look at an event's own coordinates before it is scored", async () => {
    const answers = await asking;
    const last = test.length - 1;
    const moved = test.map((event, i) => (i === last ? { ...event, lat: -41, lon: 174 } : event));
    const found = await askLinear(moved);
    expect(found.asked[last]).toEqual(answers.asked[last]);
  });

  it("learns nothing from other people's test events", async () => {
    const answers = await asking;
    const person = test[test.length - 1].userId;
    const alone = await askLinear(test.filter((event) => event.userId === person));
    expect(alone.asked).toEqual(answers.asked.filter((each) => each.person === person));
  });

  it("takes a product outside the candidates as missed, and one that nobody had chosen out of them where asked to", async () => {
    const answers = await asking;
    const targets = test.map((event) => event.itemId);
    const before = new Set([...dataset.train, ...dataset.valid].map((event) => event.itemId));
    answers.asked.forEach((each, i) => {
      expect(each.cold).toBe(!before.has(targets[i]) && !each.revisit);
      for (const name of Object.keys(each.ranks)) {
        const [rank] = each.ranks[name];
        const [withoutCold] = each.ranksWithoutCold[name];
        if (each.cold) expect(withoutCold).toBe(Number.POSITIVE_INFINITY);
        else expect(withoutCold).toBeLessThanOrEqual(rank);
      }
    });
    expect(answers.asked.some((each) => each.cold)).toBe(true);
    const missed = answers.asked.filter((each) => each.ranks.pipeline[0] === Number.POSITIVE_INFINITY);
    expect(missed.length).toBe(answers.asked.length - answers.recalled[500]);
  });

  it("asks each seed's model of the same events", async () => {
    const answers = await asking;
    const both = await ask(
      dataset,
      [linearRanker, popularityRanker],
      () => 0,
      () => undefined,
    );
    expect(both.asked.map((each) => each.ranks.pipeline[0])).toEqual(
      answers.asked.map((each) => each.ranks.pipeline[0]),
    );
    expect(both.recalled).toEqual(answers.recalled);
    const evaluation = evaluationOf("demo", dataset.items.size, [1, 2], both);
    expect(evaluation.methods.pipeline.overall.n).toBe(test.length);
    expect(evaluation.methods.pipeline.revisit.n + evaluation.methods.pipeline.first.n).toBe(test.length);
    expect(evaluation.gains.popularity.ndcg10).toBeCloseTo(
      evaluation.methods.pipeline.overall.ndcg10 - evaluation.methods.popularity.overall.ndcg10,
      12,
    );
    expect(reportOf(evaluation)).toContain("mean of seeds 1, 2");
    expect(JSON.parse(JSON.stringify(evaluation))).toEqual(evaluation);
  });

  it("says so where there is nothing to ask", async () => {
    const nothing = evaluationOf("demo", dataset.items.size, [1], await askLinear([]));
    expect(reportOf(nothing)).toContain("no event to ask for");
  });
});
