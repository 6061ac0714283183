import { describe, expect, it } from "vitest";
import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { emptyArmTotals, updateArmTotals } from "./sequential.ts";
import { verdictOf } from "./verdict.ts";

const settings = { alpha: 0.05, effect: 0.05, minUsers: 20, minExposures: 100, margin: 0.1 };

/** Returns the totals of users with ten exposures each, of which about `successes` succeed. */
function arm(users: number, successes: number): ArmTotals {
  let totals = emptyArmTotals;
  for (let i = 0; i < users; i++)
    totals = updateArmTotals(totals, { n: 10, s: Math.max(0, Math.min(10, successes + (i % 3) - 1)) });
  return totals;
}

describe("verdictOf", () => {
  it("is open with too few users, however large the difference", () => {
    const { verdict, reason } = verdictOf(arm(19, 0), arm(500, 8), settings);
    expect(verdict).toBe("open");
    expect(reason).toContain("too few");
  });

  it("is `worse` for a significantly worse candidate, and `good` for a significantly better one", () => {
    expect(verdictOf(arm(200, 2), arm(200, 5), settings).verdict).toBe("worse");
    expect(verdictOf(arm(200, 5), arm(200, 2), settings).verdict).toBe("good");
  });

  it("is `good` for a candidate significantly not worse by the margin, and `open` until then", () => {
    expect(verdictOf(arm(60, 5), arm(60, 5), settings).verdict).toBe("open");
    const { verdict, reason } = verdictOf(arm(5000, 5), arm(5000, 5), settings);
    expect(verdict).toBe("good");
    expect(reason).toMatch(/not worse by 5\.0\d%: 50\.\d+% of 50000 against/);
  });
});
