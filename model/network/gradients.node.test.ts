import { grad, init, nn, numpy as np, tree } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { Tape } from "../autograd/tape.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { randomBatch } from "../onnx/manifest.ts";
import { listLoss, pointwiseShare, purchaseShare } from "../train/loss.ts";
import { Random } from "../train/random.ts";
import { JaxOps } from "./jax-ops.node.ts";
import { network } from "./network.ts";
import { initialParameters, type Parameters } from "./parameters.ts";

const shape: FeatureShape = {
  dense: ["a", "b", "c", "d", "e", "f"],
  pair: ["x", "y", "z"],
  event: ["present", "age", "just_now"],
  history: 5,
  categories: 7,
  hash: "test",
};

/** A list whose first two candidates were engaged with and whose first was bought; half of its history is empty. */
function listOf(seed: number, count: number): TrainingList {
  const batch = randomBatch(shape, count, seed);
  const engage = new Float32Array(count);
  engage.fill(1, 0, Math.min(2, count));
  const purchase = new Float32Array(count);
  purchase[0] = 1;
  const standsFor = Float32Array.from({ length: count }, (_, i) => 1 + (i % 3));
  return { batch, engage, purchase, standsFor, weight: 0.7 };
}

/** Gradients by the tape, of the loss that training minimises. */
function byTape(parameters: Parameters, list: TrainingList): Map<string, Float32Array> {
  const tensors = new Map<string, Tensor>(
    [...parameters].map(([name, { rows, columns, data, trained }]) => [
      name,
      { rows, columns, data, grad: trained ? new Float32Array(data.length) : null },
    ]),
  );
  const tape = new Tape(tensors);
  const { batch } = list;
  const { engage, purchase } = network(
    tape,
    {
      dense: tape.input(batch.count, shape.dense.length, batch.dense),
      pair: tape.input(batch.count * shape.history, shape.pair.length, batch.pair),
      event: tape.input(shape.history, shape.event.length, batch.event),
      category: tape.indices(batch.category),
      historyCategory: tape.indices(batch.historyCategory),
      moment: tape.indices(batch.moment),
    },
    shape,
  );
  if (!engage.grad || !purchase.grad) throw new Error("the heads have no gradient");
  listLoss(
    { data: engage.data, grad: engage.grad },
    { data: purchase.data, grad: purchase.grad },
    list,
    list.weight,
  );
  tape.backward();
  return new Map([...tensors].flatMap(([name, { grad: each }]) => (each ? [[name, each] as const] : [])));
}

/** A matrix of jax-js, of a copy. */
const matrix = (data: Float32Array, rows: number, columns: number): np.Array =>
  np.array(Float32Array.from(data)).reshape([rows, columns]);

/**
 * The loss of one head, written anew: -sum(targets / total * log softmax) + share * sum of binary cross entropies. A row
 * that stands for many adds the logarithm of how many to its logit in the softmax.
 */
function headLoss(logits: np.Array, targets: Float32Array, standsFor: Float32Array): np.Array {
  const total = targets.reduce((sum, value) => sum + value, 0);
  const t = np.array(Float32Array.from(targets));
  const flat = logits.reshape([-1]);
  const many = np.array(standsFor.map(Math.log));
  const listwise = np.sum(nn.logSoftmax(flat.ref.add(many)).mul(t.ref)).mul(-1 / total);
  // -t log p - (1 - t) log (1 - p) = softplus(logit) - t logit.
  const pointwise = np.sum(nn.softplus(flat.ref).sub(t.mul(flat)));
  return listwise.add(pointwise.mul(pointwiseShare));
}

/** The same gradients by jax-js. */
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
    const { engage, purchase } = network(new JaxOps(all), inputs, shape);
    return headLoss(engage, list.engage, list.standsFor)
      .add(headLoss(purchase, list.purchase, list.standsFor).mul(purchaseShare))
      .mul(list.weight);
  };
  const trained = Object.fromEntries(
    [...parameters.values()].flatMap(({ name, rows, columns, data, trained: isTrained }) =>
      isTrained ? [[name, matrix(data, rows, columns)] as const] : [],
    ),
  );
  return grad(loss)(trained);
}

describe("gradients of the whole network and its loss", () => {
  beforeAll(async () => {
    await init("wasm");
  });

  it.each([
    ["a list", 9, 1],
    ["a single candidate", 1, 2],
    ["another list", 24, 3],
  ])("are those of jax-js, by %s", (_name, count, seed) => {
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
