import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute.ts";
import { linearRanker, popularityRanker } from "../pipeline/fallback.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { simulate } from "../simulate/simulate.ts";
import { expectedPurchases } from "./purchases.ts";
import { purchasesReport } from "./report.ts";

const simulation = simulate({ products: 900, users: 25, events: 1500, days: 40 }, 3, 1_760_000_000);
/** The farthest first: an honest bad ranker. */
const farthest: Ranker = {
  version: "farthest",
  sha256: "",
  async score({ count, dense }) {
    const width = featureShape.dense.length;
    const at = featureShape.dense.indexOf("distance_log");
    const engage = Float32Array.from({ length: count }, (_, i) => dense[i * width + at]);
    return { engage, purchase: new Float32Array(count) };
  },
};

describe("expectedPurchases", () => {
  it("judges rankers by what is true: no list is better than the best, and order matters", async () => {
    const found = await expectedPurchases(
      simulation,
      { linear: linearRanker, popularity: popularityRanker, farthest },
      60,
      () => 0,
      () => undefined,
    );
    const { linear, popularity, farthest: bad } = found.methods;
    expect(found.questions).toBeGreaterThan(20);
    for (const method of [linear, popularity, bad]) {
      expect(method.per100).toBeGreaterThan(0);
      expect(method.per100).toBeLessThanOrEqual(found.optimum);
      expect(method.ofOptimum).toBeCloseTo(method.per100 / found.optimum, 12);
      expect(method.ci?.[0]).toBeLessThanOrEqual(method.ofOptimum);
      expect(method.ci?.[1]).toBeGreaterThanOrEqual(method.ofOptimum);
    }
    expect(linear.per100).toBeGreaterThan(bad.per100);
    expect(popularity.per100).toBeGreaterThan(bad.per100);
    // What they want for its nearness is where the farthest loses most.
    expect(bad.wish.distance).toBeLessThan(found.wish.distance - 1);
    expect(purchasesReport(found)).toContain("optimum");
  });
});
