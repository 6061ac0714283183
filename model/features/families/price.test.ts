import { describe, expect, it } from "vitest";
import type { ColumnsRow } from "../../columns/columns-builder.ts";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, makeInteraction, now, profileOf } from "../testing.ts";
import { priceFeatures } from "./price.ts";

/** Cafes at 40 after discount and at 10, and a product without a price; all amounts in EUR. */
const rows = [
  { priceMinor: 8000, currency: "EUR", discount: 0.5, rating: 10, createdAt: now - 3 * day },
  { priceMinor: 1000, currency: "EUR", rating: 0 },
  { category: "park" },
];
/** The user chose a cafe with a list price of 10 and a book of 40: 20 in the geometric mean. */
const chosen = [
  makeInteraction("x", now - 2 * day, { category: "cafe", priceMinor: 1000, currency: "EUR" }),
  makeInteraction("y", now - day, { category: "books", priceMinor: 4000, currency: "EUR" }),
];
const block = blockOf(rows);
const context = contextOf(profileOf(chosen), block);
/** Features that compare a price with other prices. */
const comparisons = ["price_log", "price_vs_usual", "price_vs_category", "price_vs_around"];

describe("priceFeatures", () => {
  it("L3: compare list prices with the user's list prices, and prices after discount with the candidates'", () => {
    const values = featureValues(priceFeatures, context, block);
    expect(values.price_known).toBe(1);
    expect(values.price_log).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.price_vs_usual).toBeCloseTo(Math.log(80 / 20), 5);
    expect(values.price_vs_category).toBeCloseTo(Math.log(80 / 10), 5);
    expect(values.price_vs_around).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.discount).toBeCloseTo(2 * 0.5, 5);
    expect(values.age_log).toBeCloseTo(Math.log(4) / 4, 5);
  });

  it("L3: are 0 for a product that costs what the user always chooses, whatever its discount", () => {
    const same = blockOf([{ priceMinor: 1000, currency: "EUR", discount: 0.5 }]);
    const values = featureValues(priceFeatures, contextOf(profileOf([chosen[0]]), same), same);
    expect(values).toMatchObject({ price_vs_usual: 0, price_vs_category: 0, discount: 1 });
  });

  it("L3: never compare amounts of two currencies, or an amount with one without a currency", () => {
    const mixed = blockOf([
      { priceMinor: 8000, currency: "EUR", discount: 0.5 },
      { priceMinor: 1000, currency: "EUR" },
      { priceMinor: 900_000, currency: "JPY" },
      { priceMinor: 5, currency: null },
    ]);
    const among = contextOf(profileOf(chosen), mixed);
    const euros = featureValues(priceFeatures, context, block);
    for (const name of comparisons)
      expect(featureValues(priceFeatures, among, mixed, 0)[name]).toBeCloseTo(euros[name], 5);
    for (const row of [2, 3]) {
      const values = featureValues(priceFeatures, among, mixed, row);
      expect(values.price_known).toBe(1);
      for (const name of comparisons) expect(values[name], name).toBe(0);
    }
  });

  it("center ratings on the middle of their scale", () => {
    expect(featureValues(priceFeatures, context, block, 0)).toMatchObject({ rating_known: 1, rating: 2 });
    expect(featureValues(priceFeatures, context, block, 1)).toMatchObject({ rating_known: 1, rating: -2 });
  });

  it("give the same comparisons in any currency", () => {
    const inYen = <T extends { priceMinor?: number | null }>(from: T) => ({
      ...from,
      priceMinor: from.priceMinor ? from.priceMinor * 1024 : null,
      currency: "JPY",
    });
    const profile = profileOf(chosen.map((each) => ({ ...each, facts: inYen(each.facts) })));
    const yen = blockOf(rows.map((row: Partial<ColumnsRow>) => inYen(row)));
    const converted = featureValues(priceFeatures, contextOf(profile, yen), yen);
    const values = featureValues(priceFeatures, context, block);
    for (const name of comparisons) expect(converted[name]).toBeCloseTo(values[name], 5);
  });

  it("are 0, with indicators of 0, for a product without price and rating, and for a free one", () => {
    expect(Object.values(featureValues(priceFeatures, context, block, 2))).toEqual(
      priceFeatures.names.map(() => 0),
    );
    const free = blockOf([{ priceMinor: 0 }, { priceMinor: 2000, discount: 1 }]);
    for (const row of [0, 1])
      expect(featureValues(priceFeatures, contextOf(emptyProfile(), free), free, row)).toMatchObject({
        price_known: 0,
        price_log: 0,
        price_vs_around: 0,
      });
  });

  it("do not compare with the user's prices if the user has paid none", () => {
    expect(featureValues(priceFeatures, contextOf(emptyProfile(), block), block)).toMatchObject({
      price_known: 1,
      price_vs_usual: 0,
      price_vs_category: 0,
    });
  });

  it("grow with the price, and are bounded", () => {
    const prices = [1, 100, 900, 1000, 1100, 10_000, 1e11];
    const block = blockOf(prices.map((priceMinor) => ({ priceMinor, currency: "EUR" })));
    const context = contextOf(profileOf(chosen), block);
    const values = prices.map((_, row) => featureValues(priceFeatures, context, block, row));
    for (const [i, dearer] of values.slice(1).entries())
      for (const name of comparisons) expect(dearer[name]).toBeGreaterThanOrEqual(values[i][name]);
    for (const name of comparisons) {
      expect(values[0][name]).toBe(-3);
      expect(values[prices.length - 1][name]).toBe(3);
    }
  });

  it("treat a product created after now as new", () => {
    const block = blockOf([{ createdAt: now + day }]);
    expect(featureValues(priceFeatures, contextOf(emptyProfile(), block), block).age_log).toBe(0);
  });

  it("do not compare with a category without prices", () => {
    const unpriced = contextOf(emptyProfile(), blockOf([{ priceMinor: null }]));
    expect(featureValues(priceFeatures, unpriced, blockOf([{ priceMinor: 1000 }])).price_vs_around).toBe(0);
  });
});
