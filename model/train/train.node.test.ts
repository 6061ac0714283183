import { describe, expect, it } from "vitest";
import { Tape } from "../autograd/tape.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { initialParameters } from "../network/parameters.ts";
import { checkGoldenVectors, checkModel } from "../onnx/check-model.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import { buildManifest } from "../onnx/manifest.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { runForward, tensorsOf } from "./learner.ts";
import { listLoss } from "./loss.ts";
import { Random } from "./random.ts";
import { scoreByTape, type TrainingOptions, tapeScorer, train } from "./train.ts";

const shape: FeatureShape = {
  dense: ["a", "b", "c", "d", "e"],
  pair: ["x", "y"],
  event: ["present", "just_now"],
  history: 4,
  categories: 6,
  hash: "test",
};

/** Returns lists whose chosen candidate depends on two dense features and one pair feature. */
function lists(count: number, seed: number): TrainingList[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => {
    const batch = randomBatch(shape, 12, seed * 1000 + i);
    const width = shape.history * shape.pair.length;
    let winner = 0;
    let maxValue = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < batch.count; row++) {
      const value =
        2 * batch.dense[row * 5] -
        batch.dense[row * 5 + 1] +
        1.5 * batch.pair[row * width] +
        0.1 * random.normal();
      if (value > maxValue) {
        maxValue = value;
        winner = row;
      }
    }
    const engage = new Float32Array(batch.count);
    engage[winner] = 1;
    const purchase = new Float32Array(batch.count);
    if (i % 2) purchase[winner] = 1;
    const candidatesRepresented = new Float32Array(batch.count).fill(1);
    return { batch, engage, purchase, candidatesRepresented, weight: 1 };
  });
}

const options = (overrides: Partial<TrainingOptions> = {}): TrainingOptions => ({
  seed: 1,
  epochs: 6,
  listsPerStep: 8,
  maxLearningRate: 0.01,
  weightDecay: 1e-4,
  maxEpochsWithoutGain: 3,
  clock: () => 0,
  onProgress: () => undefined,
  ...overrides,
});

describe("Tape", () => {
  it("computes the gradients of finite differences for every parameter", () => {
    const parameters = initialParameters(shape, new Random(3));
    for (const [name, each] of parameters)
      if (name.endsWith(".b"))
        each.data.forEach((_, i) => {
          each.data[i] = 0.05 * (i + 1);
        });
    const [list] = lists(1, 5);
    // The second half of the history is empty and must not matter.
    const lossOf = (): number => {
      const { engage, purchase } = scoreByTape(shape, parameters, list.batch);
      const gradient = new Float32Array(list.batch.count);
      return listLoss({ data: engage, grad: gradient }, { data: purchase, grad: gradient }, list, 1);
    };
    const tensors = tensorsOf(parameters);
    const tape = new Tape(tensors);
    const out = runForward(tape, shape, list.batch);
    const grad = (tensor: Tensor) => ({ data: tensor.data, grad: tensor.grad ?? new Float32Array() });
    listLoss(grad(out.engage), grad(out.purchase), list, 1);
    tape.backward();
    const random = new Random(9);
    let checked = 0;
    for (const [name, tensor] of tensors) {
      if (!tensor.grad) continue;
      for (let k = 0; k < 12; k++) {
        const i = random.below(tensor.data.length);
        const before = tensor.data[i];
        const h = 1e-2;
        tensor.data[i] = before + h;
        const up = lossOf();
        tensor.data[i] = before - h;
        const down = lossOf();
        tensor.data[i] = before;
        const middle = lossOf();
        // A kink of relu lies between the two points, so that the derivative is not defined there.
        if (Math.abs(up - 2 * middle + down) / h > 0.02) continue;
        const expected = (up - down) / (2 * h);
        expect(
          Math.abs(tensor.grad[i] - expected),
          `${name}[${i}]: ${tensor.grad[i]}, expected ${expected}`,
        ).toBeLessThan(0.01 + 0.03 * Math.abs(expected));
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(100);
  });
});

describe("the exported ONNX file", () => {
  it("scores within 1e-5 of the tape for 1, 7 and 500 candidates and for an empty history", async () => {
    const parameters = initialParameters(shape, new Random(4));
    const session = await loadModelInNode(exportOnnx(shape, parameters), shape);
    // All batches share one tape, so that values left over from a batch would change the next scores.
    const score = tapeScorer(shape, parameters);
    for (const [count, seed] of [
      [1, 1],
      [7, 2],
      [500, 3],
      [7, 4],
    ]) {
      const batch = randomBatch(shape, count, seed);
      if (seed === 2) batch.event.fill(0);
      const tape = score(batch);
      const served = await session.run(batch);
      for (const head of ["engage", "purchase"] as const)
        for (let i = 0; i < count; i++)
          expect(Math.abs(served[head][i] - tape[head][i])).toBeLessThanOrEqual(1e-5);
    }
    await session.release();
  });

  it("runs concurrent batches one after another", async () => {
    const parameters = initialParameters(shape, new Random(4));
    const session = await loadModelInNode(exportOnnx(shape, parameters), shape);
    const batches = [1, 2, 3, 4].map((seed) => randomBatch(shape, 5, seed));
    const concurrent = await Promise.all(batches.map((batch) => session.run(batch)));
    for (const [i, batch] of batches.entries()) expect(concurrent[i]).toEqual(await session.run(batch));
    await session.release();
  });

  it("is refused if the manifest, the features or the golden vectors do not match", async () => {
    const parameters = initialParameters(shape, new Random(4));
    const bytes = new Uint8Array(exportOnnx(shape, parameters));
    const session = await loadModelInNode(bytes, shape);
    const manifest = await buildManifest(shape, parameters, bytes, session, {
      version: "v1",
      parent: null,
      seed: 4,
      createdAt: "2026-01-01T00:00:00Z",
      metrics: { ndcg: 0.5 },
      dataWindow: { name: "test", from: null, to: null, events: 0 },
    });
    expect((await checkModel(manifest, bytes, shape)).ok).toBe(true);
    expect((await checkGoldenVectors(manifest, session)).ok).toBe(true);
    expect((await checkModel({ ...manifest, sha256: "0".repeat(64) }, bytes, shape)).ok).toBe(false);
    expect((await checkModel(manifest, bytes, { ...shape, hash: "other" })).ok).toBe(false);
    expect((await checkModel({}, bytes, shape)).ok).toBe(false);
    const wrong = { ...manifest.golden.outputs, engage: [9, 9, 9, 9] };
    expect(
      (await checkGoldenVectors({ ...manifest, golden: { ...manifest.golden, outputs: wrong } }, session)).ok,
    ).toBe(false);
    await session.release();
  });
});

describe("train", () => {
  it("learns which candidate wins, and gives the same weights for the same seed", async () => {
    const [training, validation] = [lists(300, 1), lists(60, 2)];
    const first = await train(shape, training, validation, options());
    const second = await train(shape, training, validation, options());
    expect(first.validation.ndcg).toBeGreaterThan(0.8);
    expect(second.parameters).toEqual(first.parameters);
  });

  it("resumes from a checkpoint to the same weights as an uninterrupted run", async () => {
    const [training, validation] = [lists(80, 1), lists(20, 2)];
    const uninterrupted = await train(shape, training, validation, options({ epochs: 4 }));
    let stored: Uint8Array | null = null;
    const stop = (checkpoint: Checkpoint) => {
      if (checkpoint.epoch === 2) stored = encodeCheckpoint(shape, checkpoint);
    };
    await train(shape, training, validation, options({ epochs: 4, onCheckpoint: stop }));
    if (!stored) throw new Error("Training wrote no checkpoint.");
    const resume = decodeCheckpoint(shape, stored);
    expect(resume?.epoch).toBe(2);
    const resumed = await train(shape, training, validation, options({ epochs: 4, resume }));
    expect(resumed.parameters).toEqual(uninterrupted.parameters);
    expect(decodeCheckpoint({ ...shape, hash: "other" }, stored)).toBeNull();
  });

  it("rejects a damaged checkpoint", () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(512), new TextEncoder().encode("{}".padEnd(4096))])
      expect(decodeCheckpoint(shape, bytes)).toBeNull();
  });

  it("pauses after each list, and learns with feature dropout", async () => {
    let pauses = 0;
    const pause = async () => {
      pauses++;
    };
    const [training, validation] = [lists(100, 1), lists(60, 2)];
    const before = training.map(({ batch }) => batch.dense.slice());
    const trained = await train(
      shape,
      training,
      validation,
      options({ epochs: 4, featureDropout: 0.1, pause }),
    );
    expect(pauses).toBe(100 * trained.epochs);
    expect(trained.validation.auc).toBeGreaterThan(0.8);
    expect(training.map(({ batch }) => batch.dense)).toEqual(before);
  });
});
