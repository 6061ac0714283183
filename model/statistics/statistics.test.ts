import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { rejectedByHolm } from "./holm.ts";
import { normalTail } from "./normal-tail.ts";

describe("normalTail", () => {
  it.each([
    [0, 0.5],
    [1, 0.158655],
    [1.959964, 0.025],
    [-1.959964, 0.975],
    [3.290527, 0.0005],
    [6, 9.8659e-10],
  ])("of %d is %d", (z, p) => {
    expect(normalTail(z)).toBeCloseTo(p, 6);
  });
});

describe("rejectedByHolm", () => {
  it("compares the smallest p-value with alpha / n, the next with alpha / (n - 1), and stops", () => {
    expect(rejectedByHolm([0.03, 0.01, 0.04, 0.005], 0.05)).toEqual([false, true, false, true]);
    expect(rejectedByHolm([0.02, 0.03], 0.05)).toEqual([true, true]);
    expect(rejectedByHolm([0.03, 0.03], 0.05)).toEqual([false, false]);
    expect(rejectedByHolm([], 0.05)).toEqual([]);
    expect(rejectedByHolm([Number.NaN], 0.05)).toEqual([false]);
  });

  it("rejects a true hypothesis in about 5% of families, however many there are", () => {
    const random = new Random(5);
    let wrong = 0;
    for (let n = 0; n < 2000; n++)
      if (
        rejectedByHolm(
          Array.from({ length: 50 }, () => normalTail(random.normal())),
          0.05,
        ).includes(true)
      )
        wrong++;
    expect(wrong / 2000).toBeLessThan(0.065);
    expect(wrong / 2000).toBeGreaterThan(0.035);
  });
});
