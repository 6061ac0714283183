import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currencyDigits } from "./currency-digits.ts";
import { excessDigits } from "./excess-digits.ts";
import {
  decimalOf,
  maxAmount,
  minorUnitsAtLeast,
  minorUnitsAtMost,
  minorUnitsOf,
  nearestMinorUnits,
} from "./minor-units.ts";

const currencies = ["EUR", "JPY", "KWD", "VND", "XYZ", null];
const currency = fc.constantFrom(...currencies);

describe("minorUnitsOf", () => {
  it("L3: converts every price from 0.01 to 100.00 to its own number of cents, and back", () => {
    for (let cents = 1; cents <= 10_000; cents++) {
      const price = Number((cents / 100).toFixed(2));
      expect(minorUnitsOf(price, "EUR")).toBe(cents);
      expect(decimalOf(cents, "EUR")).toBe(price);
    }
  });

  it("L3: keeps large amounts exact in every currency", () => {
    expect(minorUnitsOf(24_999_001, "VND")).toBe(24_999_001);
    expect(decimalOf(24_999_001, "VND")).toBe(24_999_001);
    expect(minorUnitsOf(99_999_999_999.9999, "CLF")).toBe(999_999_999_999_999);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e15 }), currency, (minorUnits, of) => {
        const price = decimalOf(minorUnits, of);
        fc.pre(price <= maxAmount);
        expect([minorUnitsOf(price, of), nearestMinorUnits(price, of)]).toEqual([minorUnits, minorUnits]);
        expect([minorUnitsAtLeast(price, of), minorUnitsAtMost(price, of)]).toEqual([minorUnits, minorUnits]);
        expect(String(price)).toBe(String(Number(price.toFixed(currencyDigits(of)))));
      }),
    );
  });

  it("L3: knows the digits of each currency: 0 for JPY, 3 for KWD, 2 for an unknown one", () => {
    expect(currencies.map((each) => currencyDigits(each))).toEqual([2, 0, 3, 0, 2, 2]);
    expect([minorUnitsOf(500, "JPY"), minorUnitsOf(1.234, "KWD")]).toEqual([500, 1234]);
  });

  it("returns null for an amount with more digits than the currency has", () => {
    const refused: [number, string | null][] = [
      [19.955, "EUR"],
      [19.95, "JPY"],
      [0.5, "VND"],
      [1.2345, "KWD"],
      [1e-40, "EUR"],
      [999_999_999.999, "EUR"],
      [0.001, null],
    ];
    for (const [amount, of] of refused) expect(minorUnitsOf(amount, of), `${amount} ${of}`).toBeNull();
  });

  it("takes the noise of binary fractions for what it is", () => {
    expect(minorUnitsOf(19.950000000000003, "EUR")).toBe(1995);
    expect(minorUnitsOf(0.1 + 0.2, "EUR")).toBe(30);
    expect(minorUnitsOf(100.1 - 100, "EUR")).toBe(10);
    expect(minorUnitsAtMost(0.7 + 0.1, "EUR")).toBe(80);
  });

  it("rounds a bound toward the prices that it includes", () => {
    expect([minorUnitsAtLeast(19.951, "EUR"), minorUnitsAtMost(19.959, "EUR")]).toEqual([1996, 1995]);
    expect([minorUnitsAtLeast(99.5, "JPY"), minorUnitsAtMost(99.5, "JPY")]).toEqual([100, 99]);
  });
});

describe("currencyDigits", () => {
  it("L3: has no fewer digits than Intl shows, for every currency of the runtime", () => {
    for (const code of Intl.supportedValuesOf("currency")) {
      const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
      expect(currencyDigits(code), code).toBeGreaterThanOrEqual(
        format.resolvedOptions().maximumFractionDigits as number,
      );
    }
  });
});

describe("excessDigits", () => {
  it("L3: says which digits the currency has, and what was found", () => {
    expect(excessDigits(19.95, "EUR")).toBeNull();
    expect(excessDigits(19.955, "EUR")).toBe(
      "must have at most 2 digits after the decimal point, as EUR has; got 19.955",
    );
    expect(excessDigits(19.95, "JPY")).toBe(
      "must be a whole number, since JPY has no digits after the decimal point; got 19.95",
    );
    expect(excessDigits(0.001, null)).toBe(
      "must have at most 2 digits after the decimal point, as an amount without a currency has; got 0.001",
    );
  });
});
