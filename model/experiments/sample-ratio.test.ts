import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { logGamma, sampleRatioAlpha, sampleRatioPValue } from "./sample-ratio.ts";

describe("logGamma", () => {
  it("is the logarithm of factorials, and of the gamma function of one half", () => {
    let logFactorial = 0;
    for (let n = 1; n < 200; n++) {
      expect(logGamma(n)).toBeCloseTo(logFactorial, 8);
      logFactorial += Math.log(n);
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 9);
  });
});

describe("sampleRatioPValue", () => {
  /** Returns the smallest p-value of a stream of users that is looked at after each ten. */
  function smallestP(random: Random, shares: readonly number[], lost: number, users: number): number {
    const counts = shares.map(() => 0);
    let smallest = 1;
    for (let i = 1; i <= users; i++) {
      const arm = random.weightedIndex(shares);
      if (arm === 1 && random.next() < lost) continue;
      counts[arm]++;
      if (i % 10 === 0) smallest = Math.min(smallest, sampleRatioPValue(counts, shares));
    }
    return smallest;
  }

  it("is at or below p at any time with probability p at most, for equal and unequal shares", () => {
    for (const shares of [
      [1, 1],
      [8, 1, 1],
    ]) {
      const random = new Random(11);
      const runs = Array.from({ length: 300 }, () => smallestP(random, shares, 0, 3000));
      expect(runs.filter((p) => p <= 0.05).length / runs.length).toBeLessThanOrEqual(0.05);
    }
  });

  it("finds a tenth of the users of a variant that get lost", () => {
    const random = new Random(12);
    const runs = Array.from({ length: 50 }, () => smallestP(random, [1, 1], 0.1, 16_000));
    expect(runs.filter((p) => p < sampleRatioAlpha).length).toBeGreaterThanOrEqual(48);
  });

  it("is 1 without users", () => expect(sampleRatioPValue([0, 0], [1, 3])).toBe(1));
});
