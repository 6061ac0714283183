import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, makeInteraction, now, profileOf } from "../testing.ts";
import { priceFeatures } from "./price.ts";

/** Cafes at 40 after discount and at 10, and a product without a price. */
const rows = [
  { priceMinor: 8000, discount: 0.5, rating: 10, createdAt: now - 3 * day },
  { priceMinor: 1000, rating: 0 },
  { category: "park" },
];
/** The user paid 10 in a cafe and 40 for a book: 20 in the geometric mean. */
const paid = [
  makeInteraction("x", now - 2 * day, { category: "cafe", price: 10 }),
  makeInteraction("y", now - day, { category: "books", price: 40 }),
];
const block = blockOf(rows);
const context = contextOf(profileOf(paid), block);

describe("priceFeatures", () => {
  it("compare the price with the user's usual price, overall and in the category, and with the candidates", () => {
    const values = featureValues(priceFeatures, context, block);
    expect(values.price_known).toBe(1);
    expect(values.price_log).toBeCloseTo(Math.log(40) / 3, 5);
    expect(values.price_vs_usual).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.price_vs_category).toBeCloseTo(Math.log(40 / 10), 5);
    expect(values.price_vs_around).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.discount).toBeCloseTo(2 * 0.5, 5);
    expect(values.age_log).toBeCloseTo(Math.log(4) / 4, 5);
  });

  it("center ratings on the middle of their scale", () => {
    expect(featureValues(priceFeatures, context, block, 0)).toMatchObject({ rating_known: 1, rating: 2 });
    expect(featureValues(priceFeatures, context, block, 1)).toMatchObject({ rating_known: 1, rating: -2 });
  });

  it("give the same comparisons in any currency", () => {
    const crowns = <T extends { price?: number | null }>(from: T) => ({
      ...from,
      price: from.price ? from.price * 1024 : null,
    });
    const profile = profileOf(paid.map((each) => ({ ...each, facts: crowns(each.facts) })));
    const inCrowns = blockOf(
      rows.map(({ priceMinor = null, ...row }) => ({
        ...row,
        priceMinor: priceMinor && priceMinor * 1024,
      })),
    );
    const converted = featureValues(priceFeatures, contextOf(profile, inCrowns), inCrowns);
    const values = featureValues(priceFeatures, context, block);
    for (const name of ["price_vs_usual", "price_vs_category", "price_vs_around"])
      expect(converted[name]).toBeCloseTo(values[name], 5);
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

  it("grow with the price, and bound the comparison with the usual price", () => {
    const prices = [0.01, 1, 9, 10, 11, 100, 1e9];
    const block = blockOf(prices.map((price) => ({ priceMinor: Math.round(price * 100) })));
    const context = contextOf(profileOf(paid), block);
    const values = prices.map((_, row) => featureValues(priceFeatures, context, block, row));
    for (const [i, dearer] of values.slice(1).entries()) {
      expect(dearer.price_log).toBeGreaterThan(values[i].price_log);
      expect(dearer.price_vs_usual).toBeGreaterThanOrEqual(values[i].price_vs_usual);
    }
    expect(values[0].price_vs_usual).toBe(-3);
    expect(values[prices.length - 1].price_vs_usual).toBe(3);
  });

  it("treat a product created after now as new", () => {
    const block = blockOf([{ createdAt: now + day }]);
    expect(featureValues(priceFeatures, contextOf(emptyProfile(), block), block).age_log).toBe(0);
  });

  it("bound a price close to 0, and do not compare with a category without prices", () => {
    const block = blockOf([{ priceMinor: 1 }, { priceMinor: null }]);
    const values = featureValues(priceFeatures, contextOf(emptyProfile(), block), block);
    expect(values.price_log).toBeCloseTo(Math.log(0.01) / 3, 5);
    const unpriced = contextOf(emptyProfile(), blockOf([{ priceMinor: null }]));
    expect(featureValues(priceFeatures, unpriced, blockOf([{ priceMinor: 1000 }])).price_vs_around).toBe(0);
  });
});
