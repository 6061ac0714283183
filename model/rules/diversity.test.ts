import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RankedRow } from "./ranked-row.ts";
import { applyRules } from "./rules.ts";
import { groupsOf, rankedProducts, rankedRows } from "./testing.ts";

const categoriesOf = (rows: readonly RankedRow[]): number =>
  new Set(rows.flatMap((row) => groupsOf(row, "category"))).size;

/** Returns the largest number of categories of any choice of `size` rows, by trying all choices. */
function maxCategories(rows: readonly RankedRow[], size: number): number {
  let max = 0;
  const choose = (from: number, chosen: readonly RankedRow[]): void => {
    if (chosen.length === Math.min(size, rows.length)) {
      max = Math.max(max, categoriesOf(chosen));
      return;
    }
    for (let i = from; i < rows.length; i++) choose(i + 1, [...chosen, rows[i]]);
  };
  choose(0, []);
  return max;
}

describe("diversity", () => {
  it("of 1 shows as many categories as any list of the same length, and so does each beginning of the list", () => {
    fc.assert(
      fc.property(rankedProducts(9), fc.integer({ min: 1, max: 6 }), (products, limit) => {
        const rows = rankedRows(products);
        const answer = applyRules(rows, { limit, diversity: 1, collapse: [] }, { now: 0 });
        for (let size = 1; size <= answer.length; size++)
          expect(categoriesOf(answer.slice(0, size))).toBe(maxCategories(rows, size));
      }),
    );
  });

  it("of 0 leaves the order of the scores", () => {
    fc.assert(
      fc.property(rankedProducts(30), (products) => {
        const scores = applyRules(rankedRows(products), { limit: 10, diversity: 0 }, { now: 0 }).map(
          ({ score }) => score,
        );
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
    );
  });
});
