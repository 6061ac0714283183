import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute.ts";
import { initialParameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { randomBatch } from "../onnx/manifest.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import { Random } from "../train/random.ts";
import { scoreByTape } from "../train/train.ts";
import { parts } from "./ablation.ts";

describe("parts that can be left out", () => {
  it("are families of features, which together are all of them: the batch itself stays as it is", () => {
    const batch = randomBatch(featureShape, 5, 1);
    const before = structuredClone(batch);
    const zeroed = new Set<number>();
    for (const { without } of parts.filter(({ name }) => name.startsWith("features: "))) {
      const left = without(batch);
      expect(left).not.toEqual(before);
      left.dense.forEach((value, i) => {
        if (value === batch.dense[i]) return;
        expect(value).toBe(0);
        zeroed.add(i);
      });
    }
    expect(batch).toEqual(before);
    expect(zeroed.size).toBe(batch.dense.filter((value) => value !== 0).length);
  });

  it("are parts of the network, whose weights are then not there", () => {
    const namesOf = (shape: typeof featureShape): Set<string> =>
      new Set(initialParameters(shape, new Random(1)).keys());
    const all = namesOf(featureShape);
    const gone = parts
      .filter(({ name }) => name.startsWith("network: "))
      .map(({ shape }) => {
        const left = namesOf(shape);
        return [...all].filter((name) => !left.has(name));
      });
    expect(gone.map((names) => names.length)).toEqual([5, 3, 5, 1]);
    expect(new Set(gone.flat()).size).toBe(14);
  });

  it("leave a network whose file agrees with the tape", async () => {
    for (const { shape } of parts.filter(({ name }) => name.startsWith("network: "))) {
      const parameters = initialParameters(shape, new Random(2));
      const session = await nodeSession(exportOnnx(shape, parameters), shape);
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
