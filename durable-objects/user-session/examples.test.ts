import { describe, expect, it } from "vitest";
import type { Impression } from "../../workers/shared/contracts/impression.ts";
import { exampleOf } from "./examples.ts";

function impressionOf(rows: number, featureLength: number): Impression {
  return {
    featureHash: "f",
    receipt: {
      recommendationId: "r",
      time: "2026-01-01T00:00:00Z",
      model: { version: "v", sha256: "" },
      variant: "default",
      location: { city: null, country: null, precision: "exact", source: "none" },
      candidates: 500,
      items: [],
      stages: [],
    },
    rows: Array.from({ length: rows }, (_, i) => ({
      productId: `p${i}`,
      position: i < rows - 10 ? i + 1 : 0,
      propensity: 1,
      score: 0.123456789,
      features: { dense: "x".repeat(featureLength) },
    })),
  };
}

describe("exampleOf", () => {
  it("keeps all rows of a usual list", () => {
    const example = exampleOf(impressionOf(20, 1500), [{ product: "p3", type: "click" }]);
    expect(example?.rows.map(({ productId }) => productId)).toEqual(
      impressionOf(20, 1).rows.map(({ productId }) => productId),
    );
    expect(example?.rows[3].outcome).toBe("click");
  });

  it("fits into a message, however long the list: what was chosen and what was not shown stays", () => {
    const example = exampleOf(impressionOf(110, 2000), [{ product: "p99", type: "purchase" }]);
    expect(JSON.stringify(example).length).toBeLessThan(96_000);
    const ids = example?.rows.map(({ productId }) => productId) ?? [];
    for (const id of ["p99", "p100", "p109", "p0", "p1"]) expect(ids).toContain(id);
    expect(ids).not.toContain("p98");
  });
});
