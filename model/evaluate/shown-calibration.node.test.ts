import { describe, expect, it } from "vitest";
import { bundledRankerInNode } from "../pipeline/testing/simulated-world.node.ts";
import { calibrationError } from "../recalibrate/calibration.ts";
import { simulate } from "../simulate/simulate.ts";
import { shownOutcomes } from "./shown-calibration.ts";

describe("the calibration of the bundled model", () => {
  it("promises about as many clicks and purchases as come, in a marketplace of another seed", async () => {
    const size = { products: 6000, users: 600, events: 40_000, days: 56 };
    const { dataset } = simulate(size, 77, Date.UTC(2026, 0, 5) / 1000);
    const ranker = await bundledRankerInNode();
    const outcomes = await shownOutcomes(dataset, "test", ranker, 6);
    const { calibration } = ranker;
    if (!calibration) throw new Error("the bundled model has no calibration");
    for (const head of ["click", "purchase"] as const) {
      const before = calibrationError(outcomes[head], { slope: 1, offset: 0 });
      const after = calibrationError(outcomes[head], calibration[head]);
      expect(after, head).toBeLessThan(0.7 * before);
      expect(after, head).toBeLessThan(0.03);
    }
  }, 120_000);
});
