import { describe, expect, it } from "vitest";
import { type ConsentLimits, requiredPrecision } from "./consent-limits.ts";

const limits = (change: Partial<ConsentLimits> = {}): ConsentLimits => ({
  ...{ userId: "ann", approximateBefore: 0, cityBefore: 0, noneBefore: 0 },
  ...{ precision: "exact", isStated: true },
  ...change,
});
const exactAt = (version: number) => ({ precision: "exact", version }) as const;

describe("requiredPrecision", () => {
  it("S11: limits what was collected before the consent was lowered, also after it was raised again", () => {
    const raisedAgain = limits({ approximateBefore: 3, cityBefore: 3 });
    expect(requiredPrecision(raisedAgain, exactAt(2))).toBe("city");
    expect(requiredPrecision(raisedAgain, exactAt(3))).toBe("exact");
    expect(requiredPrecision(raisedAgain, { precision: "none", version: 2 })).toBe("none");
    expect(requiredPrecision(limits({ approximateBefore: 5, cityBefore: 2 }), exactAt(2))).toBe(
      "approximate",
    );
    expect(requiredPrecision(limits({ noneBefore: 1 }), exactAt(0))).toBe("none");
  });

  it("limits a user who stated nothing by the default, and an unknown user by nothing", () => {
    const unstated = limits({ precision: "approximate", isStated: false });
    expect(requiredPrecision(unstated, exactAt(0))).toBe("approximate");
    expect(requiredPrecision(unstated, { precision: "city", version: 0 })).toBe("city");
    expect(requiredPrecision(undefined, exactAt(0))).toBe("exact");
  });
});
