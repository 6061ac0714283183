import { describe, expect, it } from "vitest";
import { summarizeEvaluation } from "./evaluation.ts";
import type { RankedEvent } from "./rank-test-events.ts";
import { robustReport } from "./robust-report.ts";

const ranked = (userId: string, ranks: Record<string, number>): RankedEvent => {
  const each = Object.fromEntries(Object.entries(ranks).map(([name, rank]) => [name, [rank]]));
  return {
    userId,
    revisit: true,
    priorChoices: 9,
    cold: false,
    late: false,
    content: false,
    ranks: each,
    ranksWithoutCold: each,
  };
};

describe("robustReport", () => {
  it("compares the pipeline with the best counting method of each world", () => {
    const events = ["u", "v", "w"].map((user) => ranked(user, { popularity: 20, frequency: 3, pipeline: 1 }));
    const evaluation = summarizeEvaluation("d", 10, [1], {
      ...{ events, eventsRecalledAt: {}, timesShown: new Map(), stageMilliseconds: {}, requests: 3 },
    });
    const [heading, line] = robustReport({ order: evaluation }).split("\n");
    expect(heading).toMatch(/world +events +best counting/);
    expect(line.trim().split(/ {2,}/)).toEqual([
      ...["order", "3", "frequency", ".500", "1.000", ".500", ".500 - .500", "1.000 / 1.000", ".000 / .000"],
    ]);
  });
});
