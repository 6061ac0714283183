import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupReaders } from "./grouping.ts";
import { applyRules } from "./rules.ts";
import { anyRules, idsOf, largestGroup, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

describe("caps", () => {
  it("are never exceeded, with any other rules", () => {
    fc.assert(
      fc.property(rankedProducts(40), anyRules, (products, rules) => {
        const answer = applyRules(rankedRows(products), rules, ruleContext);
        const { perCategory = 100, perGroup = 100 } = rules;
        expect(largestGroup(answer, groupReaders.category)).toBeLessThanOrEqual(perCategory);
        expect(largestGroup(answer, groupReaders.group)).toBeLessThanOrEqual(perGroup);
      }),
      { numRuns: 300 },
    );
  });

  it("take the best of a category and of a group, and do not limit products without a group", () => {
    const rows = rankedRows([
      { score: 0.9, group: 0 },
      { score: 0.8, group: 0 },
      { score: 0.7, group: 0 },
      { score: 0.6 },
      { score: 0.5 },
      { score: 0.4, category: 1 },
    ]);
    expect(idsOf(applyRules(rows, { limit: 6, collapse: [], perGroup: 2 }, { now: 0 }))).toEqual([
      "p0",
      "p1",
      "p3",
      "p4",
      "p5",
    ]);
    expect(idsOf(applyRules(rows, { limit: 6, collapse: [], perCategory: 1 }, { now: 0 }))).toEqual([
      "p0",
      "p5",
    ]);
  });
});
