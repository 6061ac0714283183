import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute-features.ts";
import { linearRanker, popularityRanker } from "../pipeline/fallback-rankers.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { simulate } from "../simulate/simulate.ts";
import { expectedPurchases } from "./expected-purchases.ts";
import { purchasesReport } from "./report.ts";

const simulation = simulate({ products: 900, users: 25, events: 1500, days: 40 }, 3, 1_760_000_000);
/** Ranks the farthest products first, as an example of a bad ranker. */
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
  it("rates no ranker above the optimum, and a bad ranker below good ones", async () => {
    const purchases = await expectedPurchases(
      simulation,
      { linear: linearRanker, popularity: popularityRanker, farthest },
      60,
      () => 0,
      () => undefined,
    );
    const { linear, popularity, farthest: bad } = purchases.methods;
    expect(purchases.lists).toBeGreaterThan(20);
    for (const method of [linear, popularity, bad]) {
      expect(method.per100).toBeGreaterThan(0);
      expect(method.per100).toBeLessThanOrEqual(purchases.optimum);
      expect(method.shareOfOptimum).toBeCloseTo(method.per100 / purchases.optimum, 12);
      expect(method.ci?.[0]).toBeLessThanOrEqual(method.shareOfOptimum);
      expect(method.ci?.[1]).toBeGreaterThanOrEqual(method.shareOfOptimum);
    }
    expect(linear.per100).toBeGreaterThan(bad.per100);
    expect(popularity.per100).toBeGreaterThan(bad.per100);
    // The distance term shows why the bad ranker loses.
    expect(bad.utilityTerms.distance).toBeLessThan(purchases.utilityTerms.distance);
    expect(purchasesReport(purchases)).toContain("optimum");
  });
});
