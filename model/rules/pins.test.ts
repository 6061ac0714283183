import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pinsAt, placePins } from "./pins.ts";
import { compareRanked } from "./ranked-order.ts";
import { applyRules } from "./rules.ts";
import { anyRules, idsOf, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

const now = Date.parse("2026-03-01T12:00:00Z") / 1000;

describe("pins", () => {
  it("hold their positions while their products are candidates, whatever scores and diversity say", () => {
    fc.assert(
      fc.property(
        rankedProducts(40),
        anyRules,
        fc.uniqueArray(fc.nat(39), { maxLength: 4 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 4, maxLength: 4 }),
        (products, { limit, diversity }, pinned, positions) => {
          const pins = pinned.map((i, at) => ({ productId: `p${i}`, position: positions[at] }));
          const answer = idsOf(
            applyRules(rankedRows(products), { limit, diversity, pins, collapse: [] }, { now }),
          );
          const standing = pins
            .filter(
              ({ productId, position }) => position <= limit && Number(productId.slice(1)) < products.length,
            )
            .sort((a, b) => a.position - b.position);
          expect(answer).toHaveLength(Math.min(limit, products.length));
          // In a list that ends before the position, a pinned product is as near to it as the list is long.
          standing.forEach(({ productId, position }, i) => {
            const before = answer.length - standing.length + i;
            expect(answer.indexOf(productId)).toBe(Math.min(position - 1, before));
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("show no product twice, with any other rules", () => {
    fc.assert(
      fc.property(rankedProducts(40), anyRules, (products, rules) => {
        const answer = idsOf(applyRules(rankedRows(products), rules, ruleContext));
        expect(new Set(answer).size).toBe(answer.length);
        expect(answer.length).toBeLessThanOrEqual(rules.limit);
      }),
    );
  });

  it("do not bring back a product whose category is left out, nor exceed a cap", () => {
    const rows = rankedRows([{ score: 1 }, { score: 0.5, category: 1 }, { score: 0.2, category: 1 }]);
    const pins = [
      { productId: "p1", position: 1 },
      { productId: "p2", position: 2 },
    ];
    expect(idsOf(applyRules(rows, { limit: 3, pins, boost: { "category 1": 0 } }, { now }))).toEqual(["p0"]);
    expect(idsOf(applyRules(rows, { limit: 3, pins, perCategory: 1 }, { now }))).toEqual(["p1", "p0"]);
  });

  it("give a position to the first pin of it, and a product to its first position", () => {
    const rows = rankedRows([{ score: 1 }, { score: 0.5 }, { score: 0.2 }, { score: 0.1 }]);
    const pins = [
      { productId: "p3", position: 2 },
      { productId: "p2", position: 2 },
      { productId: "p3", position: 1 },
    ];
    expect(idsOf(applyRules(rows, { limit: 4, pins }, { now }))).toEqual(["p3", "p2", "p0", "p1"]);
  });

  it("by a condition hold the best product that meets it, and that no pin names", () => {
    fc.assert(
      fc.property(rankedProducts(40), fc.nat(3), fc.integer({ min: 1, max: 5 }), (products, brand, first) => {
        const rows = rankedRows(products);
        const when = `product.brand == "brand ${brand}"`;
        const pins = [
          { when, position: first },
          { productId: "p0", position: first + 1 },
          { when, position: first + 2 },
        ];
        const answer = applyRules(rows, { limit: 12, pins, collapse: [] }, ruleContext);
        const meeting = rows.filter(({ row }) => row > 0 && products[row].brand === brand);
        const best = meeting.sort(compareRanked).slice(0, 2);
        const pinned = answer.filter(({ pin }) => pin !== undefined && pin !== first + 1);
        expect(idsOf(pinned)).toEqual(idsOf(best));
        if (answer.length >= 8)
          expect(pinned.map((each) => answer.indexOf(each) + 1)).toEqual(pinned.map(({ pin }) => pin));
      }),
      { numRuns: 300 },
    );
  });

  it("by a condition hold the best product that the other rules allow", () => {
    const rows = rankedRows([
      { score: 1, group: 1, brand: 0 },
      { score: 0.9, category: 1, group: 2, brand: 1 },
      { score: 0.8, category: 1, group: 2, brand: 1 },
      { score: 0.7, category: 2, brand: 1 },
    ]);
    const pins = [1, 2, 3].map((position) => ({ when: 'product.brand == "brand 1"', position }));
    expect(idsOf(applyRules(rows, { limit: 4, pins }, ruleContext))).toEqual(["p1", "p3", "p0"]);
    expect(idsOf(applyRules(rows, { limit: 4, pins, collapse: [], perCategory: 1 }, ruleContext))).toEqual([
      "p1",
      "p3",
      "p0",
    ]);
  });

  it("give a position to a condition if the named product before it cannot hold it", () => {
    const rows = rankedRows([{ score: 1 }, { score: 0.5, brand: 0 }]);
    const pins = [
      { productId: "gone", position: 1 },
      { when: 'product.brand == "brand 0"', position: 1 },
    ];
    expect(idsOf(applyRules(rows, { limit: 2, pins }, ruleContext))).toEqual(["p1", "p0"]);
  });

  it("hold from a time until another", () => {
    const pin = { productId: "p", position: 1 };
    expect(pinsAt([pin], now)).toEqual([pin]);
    expect(pinsAt([{ ...pin, from: "2026-03-01T13:00:00+01:00" }], now)).toHaveLength(1);
    expect(pinsAt([{ ...pin, from: "2026-03-01T12:00:01Z" }], now)).toEqual([]);
    expect(pinsAt([{ ...pin, until: "2026-03-01T12:00:00Z" }], now)).toEqual([]);
    expect(pinsAt([{ ...pin, until: "2026-03-01T12:00:01Z" }], now)).toHaveLength(1);
  });
});

describe("placePins", () => {
  it("moves pinned rows to their positions, or to the end of a shorter list", () => {
    const positions = new Map([
      ["x", 2],
      ["y", 9],
    ]);
    expect(placePins(["a", "y", "b", "x"], (row) => positions.get(row))).toEqual(["a", "x", "b", "y"]);
    expect(placePins(["a", "b"], (row) => positions.get(row))).toEqual(["a", "b"]);
  });
});
