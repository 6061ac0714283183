import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute-features.ts";
import { initialParameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { readParameters } from "../onnx/read-parameters.ts";
import { sigmoid } from "../sigmoid.ts";
import { Random } from "../train/random.ts";
import { scoreByTape } from "../train/train.ts";
import { applyScalingToWeights, calibrationError, fitPlatt, type LabeledLogit } from "./calibration.ts";

const identity = { slope: 1, offset: 0 };

/** Returns random logits with outcomes that follow the given slope and offset. */
function labeledLogits(count: number, slope: number, offset: number): LabeledLogit[] {
  const random = new Random(1);
  return Array.from({ length: count }, () => {
    const logit = 2 * random.normal();
    return { logit, outcome: random.next() < sigmoid(slope * logit + offset) ? 1 : 0, weight: 1 };
  });
}

describe("fitPlatt", () => {
  it("finds the scaling that the outcomes follow, and lowers the calibration error", () => {
    const rows = labeledLogits(20_000, 0.5, -1.5);
    const platt = fitPlatt(rows);
    expect(platt.slope).toBeCloseTo(0.5, 1);
    expect(platt.offset).toBeCloseTo(-1.5, 1);
    expect(calibrationError(rows, identity)).toBeGreaterThan(0.1);
    expect(calibrationError(rows, platt)).toBeLessThan(0.02);
  });

  it("returns a finite scaling with a positive slope for any outcomes", () => {
    const row = fc.record({
      logit: fc.double({ min: -30, max: 30, noNaN: true }),
      outcome: fc.constantFrom(0, 1),
      weight: fc.constantFrom(1, 4),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
        const { slope, offset } = fitPlatt(rows);
        expect(slope).toBeGreaterThan(0);
        expect(Number.isFinite(slope) && Number.isFinite(offset)).toBe(true);
      }),
    );
    expect(fitPlatt([])).toEqual(identity);
  });
});

describe("applyScalingToWeights", () => {
  it("scales the logits of the exported model", () => {
    const parameters = initialParameters(featureShape, new Random(5));
    const batch = randomBatch(featureShape, 6, 2);
    const before = scoreByTape(featureShape, parameters, batch);
    applyScalingToWeights(parameters, [
      { slope: 0.5, offset: -2 },
      { slope: 2, offset: 1 },
    ]);
    const read = readParameters(featureShape, new Uint8Array(exportOnnx(featureShape, parameters)));
    expect(read).toEqual(parameters);
    const after = scoreByTape(featureShape, parameters, batch);
    for (let i = 0; i < 6; i++) {
      expect(after.engage[i]).toBeCloseTo(0.5 * before.engage[i] - 2, 4);
      expect(after.purchase[i]).toBeCloseTo(2 * before.purchase[i] + 1, 4);
    }
    expect(readParameters(featureShape, new Uint8Array([1, 2, 3]))).toBeNull();
  });
});
