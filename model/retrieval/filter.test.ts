import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import { decimalOf } from "../../shared/contracts/minor-units.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ChildBlock, ContentSummary } from "../columns/columns.ts";
import type { ColumnsRow } from "../columns/columns-builder.ts";
import { blockOf, north, now, origin } from "../features/testing.ts";
import { summarizeContent } from "../tiles/content-summary.ts";
import { compileFilter, compileProductTest } from "./filter.ts";
import { time } from "./testing.ts";

const list = (name: string, value: string[]): ColumnValue => ({ name, type: "list", value });
const at = (name: string, value: number): ColumnValue => ({ name, type: "time", value });
const hours = (value: string): ColumnValue => ({ name: "openingHours", type: "string", value });

/** Returns the ids of the rows that pass a filter. */
function passing(rows: readonly Partial<ColumnsRow>[], filter: DecidedFilter): string[] {
  const block = blockOf(rows);
  const test = compileFilter(filter, time);
  return rows.flatMap((_, row) => (test(block, row) ? [block.id(row)] : []));
}

describe("compileFilter", () => {
  it.each([
    ["EUR", 1, 1],
    ["KWD", 1, 1],
    ["JPY", 1, 1],
    ["VND", 24_990_000, 1],
    [null, 1, 1],
  ])("L3: lets 10,000 prices in %s match their own bounds", (currency, from, step) => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({ priceMinor: from + i * step, currency }));
    const block = blockOf(rows);
    for (const [row, { priceMinor }] of rows.entries()) {
      const own = decimalOf(priceMinor, currency);
      const test = compileFilter({ priceMin: own, priceMax: own, currency }, time);
      expect(test(block, row), `${own}`).toBe(true);
      if (row > 0) expect(test(block, row - 1)).toBe(false);
      if (row + 1 < rows.length) expect(test(block, row + 1)).toBe(false);
    }
  });

  it("L3: compares the price after discount, rounded to the minor unit, halves up", () => {
    const rows = [{ priceMinor: 1995, currency: "EUR", discount: 0.7 }];
    expect(passing(rows, { priceMin: 5.99, priceMax: 5.99, currency: "EUR" })).toEqual(["p0"]);
    expect(passing(rows, { priceMax: 5.98, currency: "EUR" })).toEqual([]);
  });

  it("L3: lets every discount match its own bound", () => {
    const shares = Array.from({ length: 1001 }, (_, i) => i / 1000).concat(1 / 3, 0.123_456_5);
    const block = blockOf(shares.map((discount) => ({ discount })));
    for (const [row, discountMin] of shares.entries())
      expect(compileFilter({ discountMin }, time)(block, row), `${discountMin}`).toBe(true);
    expect(passing([{ discount: 0.7 }, { discount: 0.699_999 }], { discountMin: 0.7 })).toEqual(["p0"]);
  });

  it("L3: leaves out products in another currency, and takes an amount without one as in the filter's", () => {
    const rows = [
      { priceMinor: 1995, currency: "EUR" },
      { priceMinor: 1995, currency: "NOK" },
      { priceMinor: 1995, currency: null },
      { priceMinor: 1995, currency: "JPY" },
      { priceMinor: null, currency: "EUR" },
    ];
    expect(passing(rows, { priceMax: 20, currency: "EUR" })).toEqual(["p0", "p2"]);
    expect(passing(rows, { priceMax: 20, currency: "JPY" })).toEqual(["p2"]);
    expect(passing(rows, { priceMin: 1995, currency: "JPY" })).toEqual(["p3"]);
    expect(passing(rows, { priceMax: 20, currency: null })).toEqual(["p2"]);
    expect(passing(rows, { currency: "EUR" })).toEqual(["p0", "p2", "p4"]);
  });

  it("refuses to compare prices whose currency nobody decided", () => {
    expect(() => compileFilter({ priceMax: 20 }, time)).toThrow("currency");
  });

  it("finds a category with all below it, among all categories of a product", () => {
    const rows = [
      { category: "Drinks" },
      { category: "Drinks > Coffee" },
      { category: "Drinks > Coffee > Beans" },
      { category: "Drinksware" },
      { category: "Gifts", optional: [list("moreCategories", ["Sale", "Drinks > Tea"])] },
    ];
    expect(passing(rows, { categories: ["Drinks"] })).toEqual(["p0", "p1", "p2", "p4"]);
    expect(passing(rows, { categories: ["Drinks > Coffee"] })).toEqual(["p1", "p2"]);
    expect(passing(rows, { categories: ["Coffee"] })).toEqual([]);
  });

  it("compares the discount and the price that hold at the time of the query", () => {
    const sale = (from: number, until: number) => ({
      ...{ priceMinor: 1000, currency: "EUR", discount: 0.5 },
      optional: [at("saleFrom", time + from), at("saleUntil", time + until)],
    });
    const rows = [
      sale(0, 10),
      sale(1, 10),
      sale(-10, 0),
      { priceMinor: 1000, currency: "EUR", discount: 0.5 },
    ];
    expect(passing(rows, { priceMax: 5, currency: "EUR" })).toEqual(["p0", "p3"]);
    expect(passing(rows, { priceMin: 10, currency: "EUR" })).toEqual(["p1", "p2"]);
    expect(passing(rows, { discountMin: 0.5 })).toEqual(["p0", "p3"]);
  });

  it("leaves out products before and after their time, and those whose place is closed if it must", () => {
    const rows = [
      { optional: [at("availableFrom", time)] },
      { optional: [at("availableFrom", time + 1)] },
      { optional: [at("availableUntil", time)] },
      // 2023-11-14, a Tuesday, 22:13 UTC.
      { optional: [hours("UTC 2760-2780")] },
      { optional: [hours("UTC 0-60")] },
    ];
    expect(passing(rows, {})).toEqual(["p0", "p3", "p4"]);
    expect(passing(rows, { includeUnavailable: true })).toEqual(["p0", "p1", "p2", "p3", "p4"]);
    expect(passing(rows, { openNow: true })).toEqual(["p0", "p3"]);
  });
});

describe("compileProductTest", () => {
  it("leaves out products whose service does not reach the user", () => {
    const radius = (value: number) => [{ name: "serviceRadiusKm", type: "number" as const, value }];
    const block = blockOf([
      { lat: 0, lon: 0, optional: radius(112) },
      { lat: 0, lon: 0, optional: radius(111) },
      { lat: null, lon: null, optional: radius(1) },
      { lat: 0, lon: 0 },
    ]);
    const idsAt = (point: Point | null): string[] => {
      const { row: test } = compileProductTest({ point, filter: {}, now: time });
      return [0, 1, 2, 3].filter((row) => test(block, row)).map((row) => block.id(row));
    };
    // A degree of longitude at the equator has 111.2 km.
    expect(idsAt({ lat: 0, lon: 1 })).toEqual(["p0", "p2", "p3"]);
    expect(idsAt(null)).toEqual(["p0", "p1", "p2", "p3"]);
  });

  it("never skips a cell with a match, whatever sales, times and categories its products have", () => {
    const path = fc.constantFrom("A", "A > B", "A > B > C", "B", "D > A");
    const row = fc.record({
      category: path,
      priceMinor: fc.integer({ min: 0, max: 20 }),
      discount: fc.constantFrom(0, 0.5),
      currency: fc.constant("EUR"),
      optional: fc
        .record({ more: fc.array(path, { minLength: 1, maxLength: 2 }), from: fc.nat(4), until: fc.nat(4) })
        .map(({ more, from, until }) => [
          list("moreCategories", more),
          at("saleFrom", time + from - 2),
          at("saleUntil", time + until - 2),
        ]),
    });
    const query = fc.record(
      {
        categories: fc.array(path, { minLength: 1, maxLength: 2 }),
        priceMax: fc.integer({ min: 0, max: 20 }).map((minor) => minor / 100),
        priceMin: fc.integer({ min: 0, max: 20 }).map((minor) => minor / 100),
        discountMin: fc.constantFrom(0.1, 0.5),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 3 }), query, (rows, filter) => {
        const block = blockOf(rows);
        const { row: test, mayContain } = compileProductTest({
          ...{ point: null, now: time },
          filter: { ...filter, currency: "EUR" },
        });
        const content = summarizeContent(block);
        const child = { cell: "c", count: 1, version: 1, lat: 0, lon: 0, radiusKm: 1, content };
        if (rows.some((_, i) => test(block, i))) expect(mayContain(child)).toBe(true);
      }),
    );
  });
});

describe("a filter with an expression", () => {
  const rows = [
    { productId: "cheap", priceMinor: 500, currency: "EUR", category: "cafe", ...north(1) },
    { productId: "dear", priceMinor: 5000, currency: "EUR", category: "bar", discount: 0.2, ...north(20) },
    { productId: "yen", priceMinor: 500, currency: "JPY", category: "zoo", ...north(2) },
    { productId: "gone", priceMinor: 500, currency: "EUR", category: "cafe", available: false },
  ];
  const block = blockOf(rows);
  const expressionScope = { currency: "EUR", now, offsetSeconds: 0, user: null };
  const testOf = (filter: DecidedFilter) =>
    compileProductTest({ point: origin, now, filter: { expressionScope, ...filter } });
  const passing = (filter: DecidedFilter): string[] => {
    const { row: test } = testOf(filter);
    return rows.flatMap(({ productId }, row) => (test(block, row) ? [productId] : []));
  };

  it("keeps what meets the condition, and the other fields of the filter", () => {
    expect(passing({ expression: "product.price < 10.0" })).toEqual(["cheap"]);
    expect(passing({ expression: "product.price < 10.0", includeUnavailable: true })).toEqual([
      "cheap",
      "gone",
    ]);
    expect(passing({ expression: "distanceKm < 10.0", categories: ["zoo", "bar"] })).toEqual(["yen"]);
    expect(passing({ expression: "distanceKm < 30.0", radiusKm: 5 })).toEqual(["cheap", "yen"]);
  });

  it("keeps products in another currency than that of its prices, unless the filter names it", () => {
    const expression = 'product.price < 10.0 || product.category == "zoo"';
    expect(passing({ expression })).toEqual(["cheap", "yen"]);
    expect(passing({ expression, currency: "EUR" })).toEqual(["cheap"]);
    expect(passing({ expression: "product.price < 1000.0", currency: "JPY" })).toEqual(["yen"]);
  });

  it("bounds the radius of the search", () => {
    expect(testOf({ expression: "distanceKm <= 3.0 && hour >= 0" }).radiusKm).toBe(3);
    expect(testOf({ expression: "distanceKm <= 3.0", radiusKm: 2 }).radiusKm).toBe(2);
    expect(testOf({ expression: "distanceKm <= 3.0 || hour >= 0" }).radiusKm).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ["product.price < 10.0", true],
    ["product.price > 5.0 && product.price < 40.0", true],
    ["product.price < 40.0 && product.price >= 40.0", true],
    ["product.price > 100.0", false],
    ["product.price > 100.0 || product.rating > 1.0", true],
    ["product.price < -1.0", false],
    ["product.price > 1e15", false],
    ["product.discount >= 0.2", true],
    ["product.discount > 0.3", false],
    ['product.category == "school"', false],
    ['"cafe" in product.categories', true],
    ['product.category in ["school", "opera"]', false],
    ['product.category in ["school", "zoo"]', true],
    ["product.category == user.favoriteCategory", false],
    ["!(product.price > 5.0)", true],
  ])("leaves out a cell only if none of its products can match: %s", (expression, mayMatch) => {
    const content: ContentSummary = summarizeContent(block);
    const child: ChildBlock = {
      ...{ cell: "c", count: 4, version: 1, lat: 0, lon: 0, radiusKm: 30 },
      content,
    };
    const { mayContain, row: test } = testOf({ expression });
    expect(mayContain(child)).toBe(mayMatch);
    if (!mayMatch) expect(rows.some((_, row) => test(block, row))).toBe(false);
    expect(mayContain({ ...child, content: null })).toBe(true);
  });

  it("is not compiled before its scope is decided, or if the expression is wrong", () => {
    expect(() => compileProductTest({ point: null, now, filter: { expression: "true" } })).toThrow("scope");
    expect(() => testOf({ expression: "product.prise < 1.0" })).toThrow("product.price");
  });
});
