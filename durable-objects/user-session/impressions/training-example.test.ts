import { describe, expect, it } from "vitest";
import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures, selectPackedRows } from "../../../model/features/pack-features.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import { trainingExampleOf } from "./training-example.ts";

function impressionOf(rows: number): Impression {
  const indices = Array.from({ length: rows }, (_, i) => i);
  return {
    features: packFeatures(featureShape, randomBatch(featureShape, rows, 1), indices),
    featureHash: "f",
    receipt: {
      recommendationId: "r",
      time: "2026-01-01T00:00:00Z",
      model: { version: "v", sha256: "" },
      variant: "default",
      location: { city: null, country: null, precision: "exact", source: "none" },
      isPlacePrivate: true,
      candidates: 500,
      items: [],
      stages: [],
    },
    rows: Array.from({ length: rows }, (_, i) => ({
      productId: `p${i}`,
      position: i < rows - 10 ? i + 1 : 0,
      propensity: 1,
      score: 0.123456789,
      category: null,
    })),
  };
}

describe("trainingExampleOf", () => {
  it("contains all rows of a list of usual length", () => {
    const example = trainingExampleOf(impressionOf(20), [{ product: "p3", type: "click" }], 1);
    expect(example?.rows.map(({ productId }) => productId)).toEqual(
      impressionOf(20).rows.map(({ productId }) => productId),
    );
    expect(example?.rows[3].outcome).toBe("click");
  });

  it("says that the order was drawn", () => {
    const drawn = { ...impressionOf(20), rankTemperature: 0.5 };
    expect(trainingExampleOf(drawn, [{ product: "p3", type: "click" }], 1)?.rankTemperature).toBe(0.5);
    expect(trainingExampleOf(impressionOf(20), [{ product: "p3", type: "click" }], 1)).not.toHaveProperty(
      "rankTemperature",
    );
  });

  it("drops shown rows without an outcome from a long list, so that the example fits into a message", () => {
    const shown = impressionOf(200);
    const example = trainingExampleOf(shown, [{ product: "p189", type: "purchase" }], 1);
    expect(JSON.stringify(example).length).toBeLessThan(96_000);
    const ids = example?.rows.map(({ productId }) => productId) ?? [];
    for (const id of ["p189", "p190", "p199", "p0", "p1"]) expect(ids).toContain(id);
    expect(ids).not.toContain("p188");
    const keptFeatures = selectPackedRows(
      shown.features,
      ids.map((id) => Number(id.slice(1))),
    );
    expect(Uint8Array.from(atob(example?.features ?? ""), (each) => each.charCodeAt(0))).toEqual(
      keptFeatures,
    );
  });
});
