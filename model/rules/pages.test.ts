import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoryOf } from "../columns/columns.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { Rules } from "./rule.ts";
import { applyRules, RequestRules } from "./rules.ts";
import { anyRules, idsOf, largestGroup, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

/** Returns the pages of a list, until one is empty. Each has as many products as `lengths` say, the last one for all that follow. */
function pagesOf(ranked: readonly RankedRow[], rules: Rules, lengths: readonly number[]): RankedRow[][] {
  const pages: RankedRow[][] = [];
  for (;;) {
    const shown = pages.flat();
    const known = new Set(idsOf(shown));
    const left = ranked.filter(({ block, row }) => !known.has(block.id(row)));
    const limit = lengths[Math.min(pages.length, lengths.length - 1)];
    const page = new RequestRules({ ...rules, limit, offset: shown.length }, ruleContext).list(
      left,
      0,
      shown,
    );
    if (page.length === 0) return pages;
    pages.push(page);
  }
}

const lengths = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });

describe("the pages of a list", () => {
  it("never repeat a product, and obey caps and groups together, whatever the rules", () => {
    fc.assert(
      fc.property(rankedProducts(50), anyRules, lengths, (products, rules, sizes) => {
        const all = pagesOf(rankedRows(products), rules, sizes).flat();
        expect(new Set(idsOf(all)).size).toBe(all.length);
        const { perCategory = 50, perGroup = 50, perBrand = 50, perAttribute = { colors: 50 } } = rules;
        const caps = { category: perCategory, group: perGroup, brand: perBrand };
        for (const [by, cap] of Object.entries({ ...caps, "attributes.colors": perAttribute.colors }))
          expect(largestGroup(all, by), by).toBeLessThanOrEqual(cap);
        for (const by of rules.collapse ?? ["group"])
          expect(largestGroup(all, by), by).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it("are one list, cut, for any lengths: also with pins, caps and groups", () => {
    fc.assert(
      fc.property(rankedProducts(50), anyRules, lengths, (products, rules, sizes) => {
        const ranked = rankedRows(products);
        const ordered = { ...rules, diversity: 0 };
        const whole = applyRules(ranked, { ...ordered, limit: 100 }, ruleContext);
        // In a list that ends before its position, a pin with a condition holds on each page that is cut there.
        const { pins = [] } = rules;
        fc.pre(pins.every(({ when, position }) => when === undefined || position <= whole.length));
        const all = pagesOf(ranked, ordered, sizes).flat();
        expect(idsOf(all)).toEqual(idsOf(whole));
      }),
      { numRuns: 300 },
    );
  });

  it("show a pinned product on the page of its position, and not before", () => {
    const ranked = rankedRows(Array.from({ length: 40 }, (_, i) => ({ score: 1 - i / 100, category: i })));
    const pages = pagesOf(ranked, { limit: 20, pins: [{ productId: "p0", position: 25 }] }, [20]);
    expect(pages.map(({ length }) => length)).toEqual([20, 20]);
    expect(idsOf(pages[0])).not.toContain("p0");
    expect(idsOf(pages[1])[4]).toBe("p0");
  });

  it("go on to be diverse: the first category of a page is new, if there is one", () => {
    const ranked = rankedRows([0, 0, 0, 1, 1, 1, 2].map((category, i) => ({ score: 1 - i / 100, category })));
    const pages = pagesOf(ranked, { limit: 2, diversity: 1 }, [2]);
    expect(pages[1].map(({ block, row }) => categoryOf(block, row))[0]).toBe("category 2");
  });
});
