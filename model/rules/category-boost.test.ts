import { describe, expect, it } from "vitest";
import { removedCategories } from "./category-boost.ts";
import { applyRules } from "./rules.ts";
import { idsOf, rankedRows } from "./testing.ts";

describe("boost", () => {
  it("multiplies the scores of a category, and leaves a category with the factor 0 out", () => {
    const rows = rankedRows([{ score: 0.9 }, { score: 0.5, category: 1 }, { score: 0.1, category: 2 }]);
    const list = (boost: Record<string, number>) => applyRules(rows, { limit: 3, boost }, { now: 0 });
    expect(idsOf(list({ "category 2": 10 }))).toEqual(["p2", "p0", "p1"]);
    expect(list({ "category 2": 10 })[0].score).toBe(1);
    expect(idsOf(list({ "category 0": 0 }))).toEqual(["p1", "p2"]);
    expect(idsOf(list({ elsewhere: 3 }))).toEqual(["p0", "p1", "p2"]);
  });

  it("names the categories that the search can leave out", () => {
    expect(removedCategories({ a: 0, b: 1 })).toEqual(["a"]);
    expect(removedCategories()).toEqual([]);
  });
});
