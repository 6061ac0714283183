import type { MatrixMemory } from "../autograd/matrix-memory.ts";
import { Tape } from "../autograd/tape.ts";
import type { Tensor } from "../autograd/tensor.ts";
import type { FeatureBatch, FeatureShape, TrainingList } from "../features/batch.ts";
import { buildNetwork } from "../network/network.ts";
import { copyParameters, type Parameter, type Parameters } from "../network/parameters.ts";
import { type AdamMoments, adamStep } from "./adam.ts";
import { type ListwiseScales, listLoss } from "./loss.ts";

/** Returns the parameters as tensors that share their data; trained parameters get a zero gradient. */
export function tensorsOf(parameters: Parameters): Map<string, Tensor> {
  return new Map(
    [...parameters].map(([name, { rows, columns, data, trained }]) => [
      name,
      { rows, columns, data, grad: trained ? new Float32Array(data.length) : null },
    ]),
  );
}

/** Resets the tape, runs the network on a batch and returns the logits [n, 1] of both heads. */
export function runForward(
  tape: Tape,
  shape: FeatureShape,
  batch: FeatureBatch,
): { engage: Tensor; purchase: Tensor } {
  tape.reset();
  return buildNetwork(
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

/** The state of the optimizer: everything that the next step depends on. */
export interface LearnerState {
  parameters: Parameters;
  /** Running average of `parameters` over the steps. */
  average: Parameters;
  moments: Map<string, AdamMoments>;
  /** Number of completed steps. */
  step: number;
}

/** Returns the state before the first step. Training changes `parameters` in place. */
export const initialLearnerState = (parameters: Parameters): LearnerState => ({
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

/** Weight of the old average in the running average of the weights, after the first steps. */
const maxAverageRetention = 0.997;

/**
 * Returns the weight (0 to 1) of the old average in the running average of the weights (Polyak and Juditsky,
 * "Acceleration of Stochastic Approximation by Averaging", SIAM J. Control Optim. 30, 1992). It is lower in the first
 * steps.
 */
const averageRetention = (step: number): number => Math.min(maxAverageRetention, step / (step + 9));

/** Runs optimizer steps on a state, in place. The same lists in the same order give the same weights. */
export class Learner {
  readonly state: LearnerState;
  readonly #shape: FeatureShape;
  readonly #weightDecay: number;
  readonly #tensors: Map<string, Tensor>;
  readonly #tape: Tape;

  /** `weightDecay` is decoupled; biases do not decay. The tape chooses its memory if `memory` is left out. */
  constructor(shape: FeatureShape, state: LearnerState, weightDecay: number, memory?: MatrixMemory) {
    this.state = state;
    this.#shape = shape;
    this.#weightDecay = weightDecay;
    this.#tensors = tensorsOf(state.parameters);
    this.#tape = new Tape(this.#tensors, memory);
  }

  /** Sets all gradients to zero. */
  clearGradients(): void {
    for (const tensor of this.#tensors.values()) tensor.grad?.fill(0);
  }

  /**
   * Runs the forward and backward pass for one list, adds its gradients and returns its loss. `scales` are those of the lists
   * of the step.
   */
  addGradients(list: TrainingList, scales?: ListwiseScales): number {
    const { engage, purchase } = runForward(this.#tape, this.#shape, list.batch);
    const loss = listLoss(
      { data: engage.data, grad: engage.grad as Float32Array },
      { data: purchase.data, grad: purchase.grad as Float32Array },
      list,
      list.weight,
      scales,
    );
    this.#tape.backward();
    return loss;
  }

  /** Makes one optimizer step along the mean gradient of `lists` lists. */
  step(learningRate: number, lists: number): void {
    const { state } = this;
    state.step++;
    for (const [name, { data, grad }] of this.#tensors)
      if (grad) {
        const weightDecay = name.endsWith(".b") ? 0 : this.#weightDecay;
        const moments = state.moments.get(name) as AdamMoments;
        adamStep(data, grad, moments, state.step, learningRate, weightDecay, lists);
      }
    const past = averageRetention(state.step);
    for (const [name, { data }] of state.average) {
      const newest = (state.parameters.get(name) as Parameter).data;
      for (let i = 0; i < data.length; i++) data[i] = past * data[i] + (1 - past) * newest[i];
    }
  }
}

/** Lowest learning rate, as a share of the highest. */
const minRateShare = 0.05;

/**
 * Returns the learning rate of a step (from 1): a half cosine from `maxLearningRate` down to {@link minRateShare} of
 * it.
 */
export const learningRateAt = (maxLearningRate: number, step: number, steps: number): number =>
  maxLearningRate *
  (minRateShare + (1 - minRateShare) * 0.5 * (1 + Math.cos((Math.PI * Math.min(step, steps)) / steps)));
