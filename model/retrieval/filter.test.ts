import { describe, expect, it } from "vitest";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import { decimalOf } from "../../shared/contracts/minor-units.ts";
import type { ColumnsRow } from "../columns/columns-builder.ts";
import { blockOf } from "../features/testing.ts";
import { compileFilter } from "./filter.ts";

/** Returns the ids of the rows that pass a filter. */
function passing(rows: readonly Partial<ColumnsRow>[], filter: DecidedFilter): string[] {
  const block = blockOf(rows);
  const test = compileFilter(filter);
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
      const test = compileFilter({ priceMin: own, priceMax: own, currency });
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
      expect(compileFilter({ discountMin })(block, row), `${discountMin}`).toBe(true);
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
    expect(() => compileFilter({ priceMax: 20 })).toThrow("currency");
  });
});
