import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute-features.ts";
import { initialParameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { Random } from "../train/random.ts";
import { scoreByTape } from "../train/train.ts";
import { ablations } from "./ablation.ts";

describe("ablations", () => {
  it("zero every dense feature in exactly one family, and leave the given batch unchanged", () => {
    const batch = randomBatch(featureShape, 5, 1);
    const before = structuredClone(batch);
    const zeroed = new Set<number>();
    for (const { removeFrom } of ablations.filter(({ name }) => name.startsWith("features: "))) {
      const reduced = removeFrom(batch);
      expect(reduced).not.toEqual(before);
      reduced.dense.forEach((value, i) => {
        if (value === batch.dense[i]) return;
        expect(value).toBe(0);
        zeroed.add(i);
      });
    }
    expect(batch).toEqual(before);
    expect(zeroed.size).toBe(batch.dense.filter((value) => value !== 0).length);
  });

  it("leave out the parameters of one network part", () => {
    const namesOf = (shape: typeof featureShape): Set<string> =>
      new Set(initialParameters(shape, new Random(1)).keys());
    const all = namesOf(featureShape);
    const missing = ablations
      .filter(({ name }) => name.startsWith("network: "))
      .map(({ shape }) => {
        const remaining = namesOf(shape);
        return [...all].filter((name) => !remaining.has(name));
      });
    expect(missing.map((names) => names.length)).toEqual([5, 3]);
    expect(new Set(missing.flat()).size).toBe(8);
  });

  it("export a network that scores as the tape does", async () => {
    for (const { shape } of ablations.filter(({ name }) => name.startsWith("network: "))) {
      const parameters = initialParameters(shape, new Random(2));
      const session = await loadModelInNode(exportOnnx(shape, parameters), shape);
      const batch = randomBatch(featureShape, 40, 3);
      const file = await session.run(batch);
      const tape = scoreByTape(shape, parameters, batch);
      for (const head of ["engage", "purchase"] as const)
        for (const [i, logit] of file[head].entries())
          expect(Math.abs(logit - tape[head][i])).toBeLessThan(1e-5);
      await session.release();
    }
  });
});
