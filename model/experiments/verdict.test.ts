import { describe, expect, it } from "vitest";
import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { emptyArmTotals, updateArmTotals } from "./sequential.ts";
import { excludesLoss, verdictOf } from "./verdict.ts";

const settings = { alpha: 0.05, effect: 0.05, minUsers: 20, minExposures: 100, margin: 0.1 };

/** Returns the totals of users with ten exposures each, of which about `successes` succeed. */
function arm(users: number, successes: number): ArmTotals {
  let totals = emptyArmTotals;
  for (let i = 0; i < users; i++)
    totals = updateArmTotals(totals, { n: 10, s: Math.max(0, Math.min(10, successes + (i % 3) - 1)) });
  return totals;
}

describe("verdictOf", () => {
  it("is never `good` with too few users, and never `worse` with fewer than ten", () => {
    expect(verdictOf(arm(19, 8), arm(500, 0), settings)).toMatchObject({
      verdict: "open",
      reason: expect.stringContaining("too few"),
    });
    expect(verdictOf(arm(9, 0), arm(500, 8), settings).verdict).toBe("open");
  });

  it("is `worse` although there are few users, where the loss is sure", () => {
    expect(verdictOf(arm(19, 0), arm(500, 8), settings).verdict).toBe("worse");
    expect(verdictOf(arm(49, 0), arm(49, 4), { ...settings, minUsers: 50 }).verdict).toBe("worse");
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

describe("excludesLoss", () => {
  const loss = { maxLoss: 0.3, maxLossAlpha: 0.02 };

  it("holds for enough users of a candidate that is at least equal", () => {
    expect(excludesLoss(arm(60, 5), arm(60, 5), loss)).toBe(true);
    expect(excludesLoss(arm(6, 5), arm(6, 5), loss)).toBe(false);
  });

  it("does not hold for a candidate whose estimate is below the control's, or where nobody succeeds", () => {
    expect(excludesLoss(arm(601, 5), arm(600, 5), loss)).toBe(false);
    expect(excludesLoss(arm(5000, -1), arm(5000, -1), loss)).toBe(false);
  });
});
