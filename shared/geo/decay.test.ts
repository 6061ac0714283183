import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decay, halved } from "./decay.ts";

describe("decay", () => {
  it("is e^-x up to 40, with a relative error below 1e-11", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 40, maxExcluded: true, noNaN: true }), (x) => {
        expect(Math.abs(decay(x) / Math.exp(-x) - 1)).toBeLessThan(1e-11);
      }),
    );
    expect(decay(0)).toBe(1);
  });

  it("is 0 beyond, and no number for none", () => {
    for (const x of [40, 1000, Number.POSITIVE_INFINITY]) expect(decay(x)).toBe(0);
    expect(decay(Number.NaN)).toBeNaN();
  });
});

describe("halved", () => {
  it("halves 1 with each half-life", () => {
    for (const halfLives of [0, 0.3, 1, 7, 30]) expect(halved(halfLives)).toBeCloseTo(2 ** -halfLives, 10);
    expect(halved(Number.POSITIVE_INFINITY)).toBe(0);
  });
});
