import { Tape } from "../autograd/tape.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { FeatureBatch, FeatureShape, TrainingList } from "../features/batch.ts";
import { network } from "../network/network.ts";
import { copyParameters, type Parameter, type Parameters } from "../network/parameters.ts";
import { adamStep, type Moments } from "./adam.ts";
import { listLoss } from "./loss.ts";

/** Weights as tensors with gradients. */
export function tensorsOf(parameters: Parameters): Map<string, Tensor> {
  return new Map(
    [...parameters].map(([name, { rows, columns, data, trained }]) => [
      name,
      { rows, columns, data, grad: trained ? new Float32Array(data.length) : null },
    ]),
  );
}

/** Runs the network over a batch, on a tape that is begun anew. */
export function forward(
  tape: Tape,
  shape: FeatureShape,
  batch: FeatureBatch,
): { engage: Tensor; purchase: Tensor } {
  tape.reset();
  return network(
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
}

/** What the optimizer has come to. */
export interface LearnerState {
  parameters: Parameters;
  /** Their running average. */
  average: Parameters;
  moments: Map<string, Moments>;
  /** Steps that were made. */
  step: number;
}

/** The state before the first step from given weights, which it changes in place. */
export const beginLearning = (parameters: Parameters): LearnerState => ({
  parameters,
  average: copyParameters(parameters),
  moments: new Map(
    [...parameters].map(([name, { data }]) => [
      name,
      { m: new Float32Array(data.length), v: new Float32Array(data.length) },
    ]),
  ),
  step: 0,
});

/**
 * Share of the past in the running average of the weights (Polyak and Juditsky, "Acceleration of Stochastic
 * Approximation by Averaging", SIAM J. Control Optim. 30, 1992), less in the first steps.
 */
const averaged = (step: number): number => Math.min(0.997, step / (step + 9));

/** Makes the optimizer's steps, in place on a state; the same lists in the same order lead to the same weights. */
export class Learner {
  readonly state: LearnerState;
  readonly #shape: FeatureShape;
  readonly #decay: number;
  readonly #tensors: Map<string, Tensor>;
  readonly #tape: Tape;

  /** `decay`: of the weights, decoupled; biases do not decay. */
  constructor(shape: FeatureShape, state: LearnerState, decay: number) {
    this.state = state;
    this.#shape = shape;
    this.#decay = decay;
    this.#tensors = tensorsOf(state.parameters);
    this.#tape = new Tape(this.#tensors);
  }

  /** Forgets what was gathered of gradients. */
  begin(): void {
    for (const tensor of this.#tensors.values()) tensor.grad?.fill(0);
  }

  /** Forward, loss and backward for one list; answers its loss. */
  see(list: TrainingList): number {
    const { engage, purchase } = forward(this.#tape, this.#shape, list.batch);
    const loss = listLoss(
      { data: engage.data, grad: engage.grad as Float32Array },
      { data: purchase.data, grad: purchase.grad as Float32Array },
      list,
      list.weight,
    );
    this.#tape.backward();
    return loss;
  }

  /** One step of the optimizer along what `lists` lists showed. */
  step(rate: number, lists: number): void {
    const { state } = this;
    state.step++;
    for (const [name, { data, grad }] of this.#tensors)
      if (grad) {
        const decay = name.endsWith(".b") ? 0 : this.#decay;
        adamStep(data, grad, state.moments.get(name) as Moments, state.step, rate, decay, lists);
      }
    const past = averaged(state.step);
    for (const [name, { data }] of state.average) {
      const newest = (state.parameters.get(name) as Parameter).data;
      for (let i = 0; i < data.length; i++) data[i] = past * data[i] + (1 - past) * newest[i];
    }
  }
}

/** The learning rate of a step, from 1: a half cosine from the highest to a twentieth of it. */
export const rateAt = (highest: number, step: number, steps: number): number =>
  highest * (0.05 + 0.95 * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps)));
