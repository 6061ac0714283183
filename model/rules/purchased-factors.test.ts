import { describe, expect, it } from "vitest";
import type { Interaction } from "../../shared/contracts/event.ts";
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

/** Returns a purchase of a product of the block, or of another sofa. */
function sofaOrOther(product: string, time: number): Interaction {
  const made = makeInteraction(product, time);
  const category = { p1: "coffee", p2: "new" }[product] ?? "sofa";
  return { ...made, facts: { ...made.facts, category } };
}

/** Returns the factors of a user who purchased products at some ages in seconds. */
const factorsAfter = (purchases: [product: string, age: number][], rules: Partial<HistoryRules> = {}) =>
  purchasedFactors(
    profileOf(purchases.map(([product, age]) => sofaOrOther(product, now - age))),
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

  it("fades until the user usually buys in the category again, if their purchases tell when", () => {
    // Another sofa, bought three times: every ten days.
    const again: [string, number][] = [20, 10, 0].map((days) => ["p9", (days + 5) * day]);
    expect(factorsAfter([...again, ["p0", 5 * day]])).toEqual(new Map([[0, 0.5]]));
    expect(factorsAfter([...again, ["p0", 11 * day]])).toEqual(new Map());
    // Four different sofas, 80 days apart: 40 days after the last one, the half has passed.
    const others: [string, number][] = [280, 200, 120].map((days, i) => [`other${i}`, days * day]);
    expect(factorsAfter([...others, ["p0", 40 * day]])).toEqual(new Map([[0, 0.5]]));
    // Two days with purchases tell no usual time.
    expect(factorsAfter([...others.slice(2), ["p0", 40 * day]])).toEqual(new Map());
    // The rule `fade` and 0 days are as they were.
    expect(factorsAfter([...others, ["p0", 40 * day]], { purchased: "fade" })).toEqual(new Map());
    expect(factorsAfter([...others, ["p0", 40 * day]], { purchasedDays: 0 })).toEqual(new Map());
  });

  it("L7: does nothing by the rules `keep` and `hide`", () => {
    for (const purchased of ["keep", "hide"] as const)
      expect(factorsAfter([["p0", 0]], { purchased })).toEqual(new Map());
  });
});
