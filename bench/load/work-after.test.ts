import { describe, expect, it } from "vitest";
import { workEnd } from "./work-after.ts";

/** Returns samples of each second, with the processor seconds used in each. */
function samples(...used: number[]) {
  let sum = 0;
  return [
    { at: 0, used: 0 },
    ...used.map((each, i) => {
      sum += each;
      return { at: i + 1, used: sum };
    }),
  ];
}

describe("workEnd", () => {
  it("is when the time without work began", () => {
    expect(workEnd(samples(0, 0, 0))).toBe(0);
    expect(workEnd(samples(1, 0.8, 0.02, 0.02, 0.02))).toBe(2);
  });

  it("is unknown during work, and until enough time without work has passed", () => {
    expect(workEnd([])).toBeNull();
    expect(workEnd(samples(0, 0))).toBeNull();
    expect(workEnd(samples(1, 1, 1, 1))).toBeNull();
  });

  it("is after work that follows a pause of two seconds", () => {
    expect(workEnd(samples(1, 0, 0, 0.5))).toBeNull();
    expect(workEnd(samples(1, 0, 0, 0.5, 0, 0, 0))).toBe(4);
  });
});
