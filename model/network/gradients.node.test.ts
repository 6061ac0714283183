import { grad, init, nn, numpy as np, tree } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { Tape } from "../autograd/tape.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { runForward, tensorsOf } from "../train/learner.ts";
import { listLoss, pointwiseLossWeight, purchaseLossWeight } from "../train/loss.ts";
import { Random } from "../train/random.ts";
import { JaxOps } from "./jax-ops.node.ts";
import { buildNetwork } from "./network.ts";
import { initialParameters, type Parameters } from "./parameters.ts";

const shape: FeatureShape = {
  dense: ["a", "b", "c", "d", "e", "f"],
  pair: ["x", "y", "z"],
  event: ["present", "age", "just_now"],
  history: 5,
  categories: 7,
  hash: "test",
};

/**
 * Returns a list with engagement on its first two candidates and a purchase of the first; half of its history is empty.
 */
function listOf(seed: number, count: number): TrainingList {
  const batch = randomBatch(shape, count, seed);
  const engage = new Float32Array(count);
  engage.fill(1, 0, Math.min(2, count));
  const purchase = new Float32Array(count);
  purchase[0] = 1;
  const candidatesRepresented = Float32Array.from({ length: count }, (_, i) => 1 + (i % 3));
  return { batch, engage, purchase, candidatesRepresented, weight: 0.7 };
}

/** Returns the gradients of the training loss, computed by the tape. */
function byTape(parameters: Parameters, list: TrainingList): Map<string, Float32Array> {
  const tensors = tensorsOf(parameters);
  const tape = new Tape(tensors);
  const { engage, purchase } = runForward(tape, shape, list.batch);
  if (!engage.grad || !purchase.grad) throw new Error("The heads have no gradient.");
  listLoss(
    { data: engage.data, grad: engage.grad },
    { data: purchase.data, grad: purchase.grad },
    list,
    list.weight,
  );
  tape.backward();
  return new Map([...tensors].flatMap(([name, { grad: each }]) => (each ? [[name, each] as const] : [])));
}

/** Returns a jax-js matrix with a copy of `data`. */
const matrix = (data: Float32Array, rows: number, columns: number): np.Array =>
  np.array(Float32Array.from(data)).reshape([rows, columns]);

/**
 * An independent implementation of the loss of one head: -sum(targets / total * log softmax) + weight * sum of binary
 * cross entropies. A row that represents several candidates adds the logarithm of their number to its logit in the
 * softmax.
 */
function headLoss(logits: np.Array, targets: Float32Array, candidatesRepresented: Float32Array): np.Array {
  const total = targets.reduce((sum, value) => sum + value, 0);
  const t = np.array(Float32Array.from(targets));
  const flat = logits.reshape([-1]);
  const logRepresented = np.array(candidatesRepresented.map(Math.log));
  const listwise = np.sum(nn.logSoftmax(flat.ref.add(logRepresented)).mul(t.ref)).mul(-1 / total);
  // -t log p - (1 - t) log (1 - p) = softplus(logit) - t logit.
  const pointwise = np.sum(nn.softplus(flat.ref).sub(t.mul(flat)));
  return listwise.add(pointwise.mul(pointwiseLossWeight));
}

/** Returns the same gradients, computed by jax-js. */
function byJax(parameters: Parameters, { batch, ...list }: TrainingList): Record<string, np.Array> {
  const loss = (trained: Record<string, np.Array>): np.Array => {
    const all = { ...trained };
    for (const { name, rows, columns, data, trained: isTrained } of parameters.values())
      if (!isTrained) all[name] = matrix(data, rows, columns);
    const inputs = {
      dense: matrix(batch.dense, batch.count, shape.dense.length),
      pair: matrix(batch.pair, batch.count * shape.history, shape.pair.length),
      event: matrix(batch.event, shape.history, shape.event.length),
      category: np.array(Int32Array.from(batch.category)),
      historyCategory: np.array(Int32Array.from(batch.historyCategory)),
      moment: np.array(Int32Array.from(batch.moment)),
    };
    const { engage, purchase } = buildNetwork(new JaxOps(all), inputs, shape);
    return headLoss(engage, list.engage, list.candidatesRepresented)
      .add(headLoss(purchase, list.purchase, list.candidatesRepresented).mul(purchaseLossWeight))
      .mul(list.weight);
  };
  const trained = Object.fromEntries(
    [...parameters.values()].flatMap(({ name, rows, columns, data, trained: isTrained }) =>
      isTrained ? [[name, matrix(data, rows, columns)] as const] : [],
    ),
  );
  return grad(loss)(trained);
}

describe("the gradients of the network and its loss", () => {
  beforeAll(async () => {
    await init("wasm");
  });

  it.each([
    ["nine candidates", 9, 1],
    ["one candidate", 1, 2],
    ["24 candidates", 24, 3],
  ])("equal those of jax-js for %s", (_name, count, seed) => {
    const parameters = initialParameters(shape, new Random(seed));
    const random = new Random(seed + 100);
    for (const { data } of parameters.values())
      for (let i = 0; i < data.length; i++) data[i] += 0.1 * random.normal();
    const list = listOf(seed, count);
    const own = byTape(parameters, list);
    const theirs = byJax(parameters, list);
    expect([...own.keys()].sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, gradient] of own) {
      const expected = theirs[name].ref.dataSync();
      gradient.forEach((value, i) => {
        expect(Math.abs(value - Number(expected[i])), `${name}[${i}]`).toBeLessThanOrEqual(
          2e-5 * Math.max(1, Math.abs(value)),
        );
      });
    }
    tree.dispose(theirs);
  });
});
