import fc from "fast-check";
import { expect, it } from "vitest";
import { decimalFromFloat32 } from "./decimal-from-float32.ts";
import { decimalLimitsOf } from "./decimal-limits.ts";

const decimals = fc.integer({ min: 0, max: 10_000 }).map((each) => each / 1000);
const limits = fc.oneof(
  decimals,
  fc.double({ min: -20, max: 20, noNaN: true }),
  fc.constantFrom(1e300, -1e300),
);

it("compares numbers of 32 bits as their decimals compare with a limit", () => {
  fc.assert(
    fc.property(fc.oneof(decimals, fc.float({ min: -20, max: 20, noNaN: true })), limits, (number, limit) => {
      const value = Math.fround(number);
      const decimal = decimalFromFloat32(value);
      const { atLeast, above } = decimalLimitsOf(limit);
      expect([value >= atLeast, value >= above]).toEqual([decimal >= limit, decimal > limit]);
    }),
    { numRuns: 2000 },
  );
});

it("finds the stored number of each decimal, and no other", () => {
  fc.assert(
    fc.property(decimals, decimals, (stored, limit) => {
      const { atLeast, above } = decimalLimitsOf(limit);
      const value = Math.fround(stored);
      expect(value >= atLeast && value < above).toBe(stored === limit);
    }),
    { numRuns: 2000 },
  );
});
