import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, interaction, now, profileOf } from "../testing.ts";
import { priceFeatures } from "./price.ts";

/** Cafes at 40 after discount and at 10, and what has no price. */
const rows = [
  { price: 80, discount: 0.5, rating: 10, createdAt: now - 3 * day },
  { price: 10, rating: 0 },
  { category: "park" },
];
/** Who paid 10 in a cafe and 40 for a book: usually 20. */
const paid = [
  interaction("x", now - 2 * day, { category: "cafe", price: 10 }),
  interaction("y", now - day, { category: "books", price: 40 }),
];
const block = blockOf(rows);
const context = contextOf(profileOf(paid), block);

describe("price", () => {
  it("compares the price after discount with what is usual for the person, in the category and here", () => {
    const values = featureValues(priceFeatures, context, block);
    expect(values.price_known).toBe(1);
    expect(values.price_log).toBeCloseTo(Math.log(40) / 3, 5);
    expect(values.price_vs_usual).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.price_vs_category).toBeCloseTo(Math.log(40 / 10), 5);
    expect(values.price_vs_around).toBeCloseTo(Math.log(40 / 20), 5);
    expect(values.discount).toBeCloseTo(2 * 0.5, 5);
    expect(values.age_log).toBeCloseTo(Math.log(4) / 4, 5);
  });

  it("takes ratings from the middle of their scale", () => {
    expect(featureValues(priceFeatures, context, block, 0)).toMatchObject({ rating_known: 1, rating: 2 });
    expect(featureValues(priceFeatures, context, block, 1)).toMatchObject({ rating_known: 1, rating: -2 });
  });

  it("compares alike in whatever currency", () => {
    const crowns = <T extends { price?: number | null }>(from: T) => ({
      ...from,
      price: from.price ? from.price * 1024 : null,
    });
    const person = profileOf(paid.map((each) => ({ ...each, facts: crowns(each.facts) })));
    const inCrowns = blockOf(rows.map(crowns));
    const converted = featureValues(priceFeatures, contextOf(person, inCrowns), inCrowns);
    const values = featureValues(priceFeatures, context, block);
    for (const name of ["price_vs_usual", "price_vs_category", "price_vs_around"])
      expect(converted[name]).toBeCloseTo(values[name], 5);
  });

  it("is 0 beside indicators of 0 for what has no price and no rating, and for what is free", () => {
    expect(Object.values(featureValues(priceFeatures, context, block, 2))).toEqual(
      priceFeatures.names.map(() => 0),
    );
    const free = blockOf([{ price: 0 }, { price: 20, discount: 1 }]);
    for (const row of [0, 1])
      expect(featureValues(priceFeatures, contextOf(emptyProfile(), free), free, row)).toMatchObject({
        price_known: 0,
        price_log: 0,
        price_vs_around: 0,
      });
  });

  it("compares with nothing where the person has paid nothing", () => {
    expect(featureValues(priceFeatures, contextOf(emptyProfile(), block), block)).toMatchObject({
      price_known: 1,
      price_vs_usual: 0,
      price_vs_category: 0,
    });
  });

  it("grows with the price, up to a bound against what is usual", () => {
    const prices = [0.01, 1, 9, 10, 11, 100, 1e9];
    const block = blockOf(prices.map((price) => ({ price })));
    const context = contextOf(profileOf(paid), block);
    const values = prices.map((_, row) => featureValues(priceFeatures, context, block, row));
    for (const [i, dearer] of values.slice(1).entries()) {
      expect(dearer.price_log).toBeGreaterThan(values[i].price_log);
      expect(dearer.price_vs_usual).toBeGreaterThanOrEqual(values[i].price_vs_usual);
    }
    expect(values[0].price_vs_usual).toBe(-3);
    expect(values[prices.length - 1].price_vs_usual).toBe(3);
  });

  it("takes a product created after now for new", () => {
    const block = blockOf([{ createdAt: now + day }]);
    expect(featureValues(priceFeatures, contextOf(emptyProfile(), block), block).age_log).toBe(0);
  });

  it("bounds a price of next to nothing, and knows no price of a category in which nothing has one", () => {
    const block = blockOf([{ price: 1e-40 }, { price: null }]);
    const values = featureValues(priceFeatures, contextOf(emptyProfile(), block), block);
    expect(values.price_log).toBe(-2);
    const unpriced = contextOf(emptyProfile(), blockOf([{ price: null }]));
    expect(featureValues(priceFeatures, unpriced, blockOf([{ price: 10 }])).price_vs_around).toBe(0);
  });
});
