import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupReaders } from "./grouping.ts";
import { applyRules } from "./rules.ts";
import { anyRules, idsOf, largestGroup, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

describe("collapse", () => {
  it("shows one product of a group, with any other rules", () => {
    fc.assert(
      fc.property(rankedProducts(40), anyRules, (products, rules) => {
        const answer = applyRules(rankedRows(products), rules, ruleContext);
        for (const by of rules.collapse ?? ["group" as const])
          expect(largestGroup(answer, groupReaders[by])).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it("shows the best of each group, which is the pinned one where there is one", () => {
    const rows = rankedRows([
      { score: 0.9, group: 0 },
      { score: 0.8, group: 0 },
      { score: 0.7, group: 1 },
      { score: 0.6 },
      { score: 0.5 },
    ]);
    expect(idsOf(applyRules(rows, { limit: 5 }, { now: 0 }))).toEqual(["p0", "p2", "p3", "p4"]);
    const pins = [{ productId: "p1", position: 2 }];
    expect(idsOf(applyRules(rows, { limit: 5, pins }, { now: 0 }))).toEqual(["p2", "p1", "p3", "p4"]);
    expect(idsOf(applyRules(rows, { limit: 5, collapse: [] }, { now: 0 }))).toHaveLength(5);
    expect(idsOf(applyRules(rows, { limit: 5, collapse: ["category"] }, { now: 0 }))).toEqual(["p0"]);
  });
});
