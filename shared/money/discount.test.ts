import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currencyOfCountry } from "./country-currency.ts";
import { discountMillionths, discountShare, priceAfterDiscount } from "./discount.ts";
import { shownPrice } from "./shown-price.ts";

describe("priceAfterDiscount", () => {
  it("rounds to the nearest minor unit, halves up", () => {
    expect(priceAfterDiscount(1995, discountMillionths(0.7))).toBe(599);
    expect(priceAfterDiscount(5, discountMillionths(0.5))).toBe(3);
    expect(priceAfterDiscount(1000, discountMillionths(1))).toBe(0);
    expect(priceAfterDiscount(24_999_001, 0)).toBe(24_999_001);
  });

  it("L3: equals the exact fraction, for any price and discount", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e13 }),
        fc.integer({ min: 0, max: 1e6 }),
        (price, millionths) => {
          const exact = (BigInt(price) * BigInt(1_000_000 - millionths) + 500_000n) / 1_000_000n;
          expect(priceAfterDiscount(price, millionths)).toBe(Number(exact));
        },
      ),
    );
  });

  it("L3: keeps a discount of up to six digits exact", () => {
    expect(discountShare(discountMillionths(0.7))).toBe(0.7);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (millionths) => {
        expect(discountMillionths(discountShare(millionths))).toBe(millionths);
      }),
    );
  });
});

describe("currencyOfCountry", () => {
  it("returns the currency of today, and null for what is no country", () => {
    expect(["FR", "BG", "NO", "JP", "KW", "XK", "GB"].map((each) => currencyOfCountry(each))).toEqual([
      "EUR",
      "EUR",
      "NOK",
      "JPY",
      "KWD",
      "EUR",
      "GBP",
    ]);
    expect([currencyOfCountry("ZZ"), currencyOfCountry(null), currencyOfCountry("constructor")]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe("shownPrice", () => {
  it("L3: returns exact decimals before and after discount", () => {
    expect(shownPrice(1995, "EUR", 0.7)).toEqual({
      price: 19.95,
      priceAfterDiscount: 5.99,
      currency: "EUR",
      discount: 0.7,
    });
    expect(shownPrice(24_999_001, "VND", 0)).toMatchObject({
      price: 24_999_001,
      priceAfterDiscount: 24_999_001,
    });
    expect(shownPrice(null, null, 0.5)).toMatchObject({ price: null, priceAfterDiscount: null });
  });
});
