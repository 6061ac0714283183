import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fastLog, fastLog1p } from "./fast-log.ts";

describe("fastLog", () => {
  it("is the logarithm of every positive number, within 1e-13 and the rounding of large results", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, minExcluded: true, noNaN: true, noDefaultInfinity: true }), (x) => {
        const exact = Math.log(x);
        expect(Math.abs(fastLog(x) - exact)).toBeLessThanOrEqual(1e-13 + 4e-16 * Math.abs(exact));
      }),
    );
  });

  it("is what Math.log is for 0, negative and infinite numbers, and for no number", () => {
    for (const x of [
      0,
      -0,
      -1,
      -1e300,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
      5e-324,
    ])
      expect(fastLog(x)).toBe(Math.log(x));
  });

  it("grows with its argument, also where an interval ends", () => {
    for (let i = 0; i <= 512; i++) {
      const x = 1 + i / 256;
      expect(fastLog(x * (1 - 1e-9))).toBeLessThan(fastLog(x));
      expect(fastLog(x)).toBeLessThan(fastLog(x * (1 + 1e-9)));
    }
  });
});

describe("fastLog1p", () => {
  it("is log(1 + x)", () => {
    for (const x of [0, 1e-9, 0.5, 3, 20_000]) expect(fastLog1p(x)).toBeCloseTo(Math.log1p(x), 12);
  });
});
