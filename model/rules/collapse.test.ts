import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRules } from "./rules.ts";
import { anyRules, idsOf, largestGroup, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

describe("collapse", () => {
  it("shows one product of a group, with any other rules", () => {
    fc.assert(
      fc.property(rankedProducts(40), anyRules, (products, rules) => {
        const answer = applyRules(rankedRows(products), rules, ruleContext);
        for (const by of rules.collapse ?? ["group"]) expect(largestGroup(answer, by)).toBeLessThanOrEqual(1);
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

  it("shows the best of each brand, and one of the products that share a value of a list", () => {
    const rows = rankedRows([
      { score: 0.9, brand: 0, colors: [0, 1] },
      { score: 0.8, brand: 0, colors: [2] },
      { score: 0.7, colors: [1, 3] },
      { score: 0.6, colors: [3] },
      { score: 0.5 },
    ]);
    const list = (collapse: string[]) => idsOf(applyRules(rows, { limit: 5, collapse }, ruleContext));
    expect(list(["brand"])).toEqual(["p0", "p2", "p3", "p4"]);
    expect(list(["attributes.colors"])).toEqual(["p0", "p1", "p3", "p4"]);
    expect(list(["brand", "attributes.colors"])).toEqual(["p0", "p3", "p4"]);
  });
});
