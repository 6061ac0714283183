import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute.ts";
import { randomBatch } from "../onnx/manifest.ts";
import { parts } from "./ablation.ts";

describe("parts that can be left out", () => {
  const batch = randomBatch(featureShape, 5, 1);

  it("leave the batch itself as it is, and zero only what they name", () => {
    const before = structuredClone(batch);
    const zeroed = new Set<number>();
    for (const { name, without } of parts) {
      const left = without(batch);
      expect(left).not.toEqual(before);
      if (name.startsWith("features: "))
        left.dense.forEach((value, i) => {
          if (value === batch.dense[i]) return;
          expect(value).toBe(0);
          zeroed.add(i);
        });
      else expect(left.dense).toBe(batch.dense);
    }
    expect(batch).toEqual(before);
    // Together the families are all of the dense features.
    expect(zeroed.size).toBe(batch.dense.filter((value) => value !== 0).length);
  });
});
