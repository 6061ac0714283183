import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { drawRanks } from "./rank-draw.ts";

describe("drawRanks", () => {
  it("returns each item once: those with a position, then the others by rank", () => {
    const random = new Random(1);
    for (const [count, positions] of [
      [20, 10],
      [5, 5],
      [3, 10],
      [1, 1],
    ]) {
      const { order, propensities } = drawRanks(count, positions, 0.7, () => random.next());
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      const rest = order.slice(positions);
      expect(rest).toEqual([...rest].sort((a, b) => a - b));
      for (const each of propensities) expect(each > 0 && each <= 1).toBe(true);
    }
  });

  it("draws each order with the product of its propensities", () => {
    const random = new Random(2);
    const runs = 100_000;
    const frequencies = new Map<string, { count: number; probability: number }>();
    for (let n = 0; n < runs; n++) {
      const { order, propensities } = drawRanks(4, 2, 1, () => random.next());
      const key = order.slice(0, 2).join();
      const found = frequencies.get(key) ?? { count: 0, probability: propensities[0] * propensities[1] };
      frequencies.set(key, { ...found, count: found.count + 1 });
      // One of the products left takes the last position.
      expect(propensities.slice(1).reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9);
    }
    expect(frequencies.size).toBe(12);
    let sum = 0;
    for (const { count, probability } of frequencies.values()) {
      sum += probability;
      expect(Math.abs(count / runs - probability)).toBeLessThan(4 * Math.sqrt(probability / runs));
    }
    expect(sum).toBeCloseTo(1, 9);
  });

  it("keeps the ranking more often at a low temperature", () => {
    const random = new Random(3);
    const first = (temperature: number): number => {
      let count = 0;
      for (let n = 0; n < 2000; n++)
        if (drawRanks(20, 10, temperature, () => random.next()).order[0] === 0) count++;
      return count / 2000;
    };
    expect(first(0.3)).toBeGreaterThan(0.85);
    expect(first(1)).toBeLessThan(0.35);
  });
});
