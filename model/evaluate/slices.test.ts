import { describe, expect, it } from "vitest";
import { summarizeEvaluation } from "./evaluation.ts";
import type { RankedEvent } from "./rank-test-events.ts";
import { evaluationReport } from "./report.ts";
import { qualityBySlice } from "./slices.ts";

/** Returns an event that the pipeline ranks at `rank`, and popularity at 20. */
const event = (rank: number, facts: Partial<RankedEvent>): RankedEvent => ({
  ...{ userId: "u", revisit: false, priorChoices: 30, cold: false, late: false, content: false },
  ...{
    ranks: { popularity: [20], pipeline: [rank] },
    ranksWithoutCold: { popularity: [20], pipeline: [rank] },
  },
  ...facts,
});

describe("qualityBySlice", () => {
  it("puts each event into the slice of its user's choices", () => {
    const found = qualityBySlice([0, 1, 4, 5, 19, 20, 99].map((priorChoices) => event(1, { priorChoices })));
    expect(Object.entries(found).map(([slice, { pipeline }]) => [slice, pipeline.n])).toEqual([
      ["users: 0 choices", 1],
      ["users: 1-4 choices", 2],
      ["users: 5-19 choices", 2],
      ["users: 20+ choices", 2],
    ]);
  });

  it("tells new products with content from those without", () => {
    const found = qualityBySlice([
      event(1, { cold: true, content: true }),
      event(20, { cold: true }),
      event(3, { late: true, content: true }),
      event(20, { late: true }),
    ]);
    const ndcg = (slice: string): number => found[slice].pipeline.ndcg10;
    expect(["cold products, with content", "cold products, without content"].map(ndcg)).toEqual([1, 0]);
    expect(["late products, with content", "late products, without content"].map(ndcg)).toEqual([0.5, 0]);
    expect(found["cold products, with content"].popularity.ndcg10).toBe(0);
  });

  it("compares the pipeline with the best other method in the report", () => {
    const events = [event(1, { priorChoices: 2 }), event(3, { cold: true })];
    const evaluation = summarizeEvaluation("d", 10, [1], {
      ...{ events, eventsRecalledAt: {}, timesShown: new Map(), stageMilliseconds: {}, requests: 2 },
    });
    const line = evaluationReport(evaluation)
      .split("\n")
      .find((each) => each.startsWith("users: 1-4"));
    expect(line?.split(/ {2,}/)).toEqual(["users: 1-4 choices", "1", "popularity", ".000", "1.000", "1.000"]);
  });
});
