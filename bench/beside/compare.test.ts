import { describe, expect, it } from "vitest";
import { compare, median, orderOf } from "./compare.ts";

describe("median", () => {
  it("is the middle value, or the mean of the two in the middle", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 10])).toBe(3.5);
  });

  it("leaves out rounds without a value", () => {
    expect(median([Number.NaN, 2, 4, Number.NaN])).toBe(3);
    expect(median([Number.NaN])).toBeNaN();
    expect(median([])).toBeNaN();
  });
});

describe("compare", () => {
  it("takes the ratio within each round, so that a slow round of both sides changes nothing", () => {
    expect(compare({ name: "p50", unit: "ms", peer: [1, 10, 2], vicinity: [3, 30, 8] })).toEqual({
      name: "p50",
      unit: "ms",
      peer: 2,
      vicinity: 8,
      ratio: 3,
      least: 3,
      largest: 4,
      rounds: 3,
    });
  });

  it("has no ratio for a round in which a side gave no good answer", () => {
    const compared = compare({ name: "p50", unit: "ms", peer: [1, 0, 2], vicinity: [Number.NaN, 4, 6] });
    expect(compared).toMatchObject({ vicinity: 5, ratio: 3, rounds: 1 });
    expect(compare({ name: "p50", unit: "ms", peer: [1], vicinity: [Number.NaN] })).toMatchObject({
      peer: 1,
      vicinity: Number.NaN,
      ratio: Number.NaN,
      least: Number.NaN,
      rounds: 0,
    });
  });
});

describe("orderOf", () => {
  it("lets each side go first in every other round", () => {
    expect([0, 1, 2, 3].map((round) => orderOf(round, ["a", "b"] as const)[0])).toEqual(["a", "b", "a", "b"]);
  });
});
