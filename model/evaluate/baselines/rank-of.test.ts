import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankOf } from "./rank-of.ts";

describe("rankOf", () => {
  it("counts a tie as half a rank", () => {
    const scores = Float64Array.of(3, 1, 1, 1, 0);
    expect(rankOf(scores, 0)).toBe(1);
    expect(rankOf(scores, 2)).toBe(3);
    expect(rankOf(scores, 4)).toBe(5);
    expect(rankOf(scores, 2, (item) => item !== 0)).toBe(2);
  });

  it("gives ranks with the mean of any strict order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 40 }), (list) => {
        const scores = Float64Array.from(list);
        const sum = list.reduce((total, _, item) => total + rankOf(scores, item), 0);
        expect(sum).toBeCloseTo((list.length * (list.length + 1)) / 2, 9);
      }),
    );
  });
});
