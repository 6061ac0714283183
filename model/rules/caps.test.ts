import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareRanked } from "./ranked-order.ts";
import type { RankedRow } from "./ranked-row.ts";
import { applyRules } from "./rules.ts";
import {
  anyRules,
  groupsOf,
  idsOf,
  largestGroup,
  rankedProducts,
  rankedRows,
  ruleContext,
} from "./testing.ts";

describe("caps", () => {
  it("are never exceeded, with any other rules", () => {
    fc.assert(
      fc.property(rankedProducts(40), anyRules, (products, rules) => {
        const answer = applyRules(rankedRows(products), rules, ruleContext);
        const { perCategory = 100, perGroup = 100, perBrand = 100, perAttribute = { colors: 100 } } = rules;
        expect(largestGroup(answer, "category")).toBeLessThanOrEqual(perCategory);
        expect(largestGroup(answer, "group")).toBeLessThanOrEqual(perGroup);
        expect(largestGroup(answer, "brand")).toBeLessThanOrEqual(perBrand);
        expect(largestGroup(answer, "attributes.colors")).toBeLessThanOrEqual(perAttribute.colors);
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

  it("take the best of a brand, and count a product for each value of a list", () => {
    const rows = rankedRows([
      { score: 0.9, brand: 0, colors: [0] },
      { score: 0.8, brand: 0, colors: [1] },
      { score: 0.7, brand: 1, colors: [0, 1] },
      { score: 0.6, colors: [1] },
      { score: 0.5 },
    ]);
    const list = (rules: object) => idsOf(applyRules(rows, { limit: 5, ...rules }, ruleContext));
    expect(list({ perBrand: 1 })).toEqual(["p0", "p2", "p3", "p4"]);
    expect(list({ perAttribute: { colors: 1 } })).toEqual(["p0", "p1", "p4"]);
    expect(list({ perAttribute: { colors: 2 } })).toEqual(["p0", "p1", "p2", "p4"]);
    expect(() => list({ perAttribute: { sizes: 1 } })).toThrow("no filterable attribute");
  });

  it("skip a product only if a product before it used up one of its groups", () => {
    fc.assert(
      fc.property(
        rankedProducts(30),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (products, perBrand, colors) => {
          const rows = rankedRows(products);
          const rules = { limit: 30, collapse: [], perBrand, perAttribute: { colors } };
          const left: RankedRow[] = [];
          for (const row of rows.toSorted(compareRanked)) {
            const isLeft = (by: string, max: number) =>
              groupsOf(row, by).every(
                (group) => left.filter((each) => groupsOf(each, by).includes(group)).length < max,
              );
            if (isLeft("brand", perBrand) && isLeft("attributes.colors", colors)) left.push(row);
          }
          expect(idsOf(applyRules(rows, rules, ruleContext))).toEqual(idsOf(left));
        },
      ),
    );
  });
});
