import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { bucketShares, referenceDistribution, stabilityIndex } from "./histogram.ts";

const weighted = (values: number[]) => ({ values, weights: values.map(() => 1) });
const normal = (count: number, seed: number, shift = 0) => {
  const random = new Random(seed);
  return weighted(Array.from({ length: count }, () => random.normal() + shift));
};
const indexOf = (before: ReturnType<typeof normal>, after: ReturnType<typeof normal>): number => {
  const { edges, shares } = referenceDistribution(before);
  return stabilityIndex(shares, bucketShares(edges, after));
};

describe("stabilityIndex", () => {
  it("is 0 for the same values, near 0 for values of the same distribution, and grows with the change", () => {
    expect(indexOf(normal(2000, 1), normal(2000, 1))).toBe(0);
    expect(indexOf(normal(2000, 1), normal(2000, 2))).toBeLessThan(0.05);
    const half = indexOf(normal(2000, 1), normal(2000, 2, 0.5));
    const one = indexOf(normal(2000, 1), normal(2000, 2, 1));
    expect(half).toBeGreaterThan(0.1);
    expect(one).toBeGreaterThan(0.25);
    expect(one).toBeGreaterThan(half);
  });

  it("is never negative, symmetric, and finite if a bucket is empty", () => {
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const { edges, shares } = referenceDistribution(weighted(a));
        const others = bucketShares(edges, weighted(b));
        const index = stabilityIndex(shares, others);
        expect(index).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(index)).toBe(true);
        expect(stabilityIndex(others, shares)).toBeCloseTo(index, 12);
        expect(others.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      }),
    );
  });

  it("detects values above a value that was the only one", () => {
    expect(indexOf(weighted([0, 0, 0, 0]), weighted([0, 0, 1, 1]))).toBeGreaterThan(0.25);
    expect(indexOf(weighted([0, 0, 0, 0]), weighted([0, 0, 0]))).toBe(0);
  });

  it("weights the values", () => {
    const { edges, shares } = referenceDistribution({ values: [1, 2, 3, 4], weights: [1, 1, 1, 1] });
    expect(bucketShares(edges, { values: [1, 2, 3, 4], weights: [4, 4, 4, 4] })).toEqual(shares);
    expect(bucketShares(edges, { values: [4], weights: [0] }).every((share) => share === 0)).toBe(true);
  });
});
