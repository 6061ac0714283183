import { describe, expect, it } from "vitest";
import { blockOf, day, hour, makeInteraction, now, profileOf } from "../features/testing.ts";
import { defaultHistoryRules, type HistoryRules } from "./hidden-products.ts";
import { purchasedFactors } from "./purchased-factors.ts";

/** `p0` is a sofa, which 12 people bought once; `p1` a coffee, which 12 people bought ten times each. */
const block = blockOf([
  { category: "sofa", counts: [40, 20, 0, 12, 0, 40, 12] },
  { category: "coffee", counts: [400, 200, 0, 120, 0, 300, 12] },
  { category: "new" },
]);
const candidates = [0, 1, 2].map((row) => ({ block, row }));

/** Returns the factors of a user who purchased products at some ages in seconds. */
const factorsAfter = (purchases: [product: string, age: number][], rules: Partial<HistoryRules> = {}) =>
  purchasedFactors(
    profileOf(purchases.map(([product, age]) => makeInteraction(product, now - age))),
    candidates,
    now,
    { ...defaultHistoryRules, ...rules },
  );

describe("purchasedFactors", () => {
  it("L7: fades a sofa, and lets it recover over the configured days", () => {
    expect(factorsAfter([["p0", 0]])).toEqual(new Map([[0, 0]]));
    expect(factorsAfter([["p0", 15 * day]])).toEqual(new Map([[0, 0.5]]));
    expect(factorsAfter([["p0", 30 * day]])).toEqual(new Map());
    expect(factorsAfter([["p0", 5 * day]], { purchasedDays: 10 })).toEqual(new Map([[0, 0.5]]));
    expect(factorsAfter([["p0", 0]], { purchasedDays: 0 })).toEqual(new Map());
  });

  it("L7: keeps a coffee that everybody buys again", () => {
    expect(factorsAfter([["p1", hour]])).toEqual(new Map());
    expect(factorsAfter([["p1", hour]], { purchased: "fade" }).size).toBe(1);
  });

  it("L7: fades a product of a category that nobody has bought yet", () => {
    expect([...factorsAfter([["p2", hour]]).keys()]).toEqual([2]);
  });

  it("L7: keeps what the user buys again, whatever others do", () => {
    const weekly: [string, number][] = [28, 21, 14, 7, 1].map((days) => ["p0", days * day]);
    expect(factorsAfter(weekly)).toEqual(new Map());
    expect(factorsAfter(weekly, { purchased: "fade" }).size).toBe(1);
    // Two items of one order are one purchase.
    expect(
      factorsAfter([
        ["p0", day],
        ["p0", day],
      ]).size,
    ).toBe(1);
  });

  it("L7: does nothing by the rules `keep` and `hide`", () => {
    for (const purchased of ["keep", "hide"] as const)
      expect(factorsAfter([["p0", 0]], { purchased })).toEqual(new Map());
  });
});
