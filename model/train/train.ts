import { Tape } from "../autograd/tape.ts";
import type { FeatureBatch, FeatureShape, Scores, TrainingList } from "../features/batch.ts";
import { copyParameters, initialParameters, type Parameters } from "../network/parameters.ts";
import type { Checkpoint, Validation } from "./checkpoint.ts";
import { setInputStatistics } from "./input-statistics.ts";
import {
  initialLearnerState,
  Learner,
  type LearnerState,
  learningRateAt,
  runForward,
  tensorsOf,
} from "./learner.ts";
import { Random } from "./random.ts";

/** Settings and callbacks of a training run. */
export interface TrainingOptions {
  seed: number;
  epochs: number;
  /** Lists per optimizer step. */
  listsPerStep: number;
  /** Highest learning rate; see {@link learningRateAt}. */
  maxLearningRate: number;
  weightDecay: number;
  /** Training stops after this many epochs without a better validation loss. */
  maxEpochsWithoutGain: number;
  /** Returns seconds since an arbitrary start. */
  clock(): number;
  onProgress(progress: TrainingProgress): void;
  /** Called after each epoch with the state that resumes training from there. */
  onCheckpoint?(checkpoint: Checkpoint): void;
  /** The checkpoint of an earlier run, to resume it. */
  resume?: Checkpoint | null;
  /** Called every `listsPerPause` lists, so that other work on the thread can run. */
  pause?(): Promise<void>;
  /** Default: 1. */
  listsPerPause?: number;
  /**
   * Share (0 to 1) of the dense features that each list hides, drawn anew per list, so that the network relies on no
   * single feature. Default: 0.
   */
  featureDropout?: number;
}

/** Progress of a training run, reported after each optimizer step. */
export interface TrainingProgress {
  epoch: number;
  epochs: number;
  /** Lists of this epoch that are processed. */
  doneLists: number;
  /** Lists per epoch. */
  totalLists: number;
  /** Mean loss of this epoch's lists. */
  loss: number;
  /** AUC and NDCG of the last validation; NaN before the first. */
  auc: number;
  ndcg: number;
  /** Candidates trained on per second. */
  candidatesPerSecond: number;
  secondsLeft: number;
}

/** The weights with the best validation loss, their validation, and the number of epochs that ran. */
export interface TrainingResult {
  parameters: Parameters;
  validation: Validation;
  epochs: number;
}

/**
 * Returns a function that scores batches with the tape. All calls share one tape, whose buffer is 4 MB. The exported
 * ONNX file must give the same scores.
 */
export function tapeScorer(shape: FeatureShape, parameters: Parameters): (batch: FeatureBatch) => Scores {
  const tape = new Tape(tensorsOf(parameters));
  return (batch) => {
    const { engage, purchase } = runForward(tape, shape, batch);
    return { engage: engage.data.slice(), purchase: purchase.data.slice() };
  };
}

/** Scores one batch with the tape; see {@link tapeScorer}. */
export const scoreByTape = (shape: FeatureShape, parameters: Parameters, batch: FeatureBatch): Scores =>
  tapeScorer(shape, parameters)(batch);

/** Returns the means over lists of NDCG (with one relevant candidate), AUC and listwise loss of the engagement head. */
export function validateOnLists(
  shape: FeatureShape,
  parameters: Parameters,
  lists: readonly TrainingList[],
): Validation {
  const tape = new Tape(tensorsOf(parameters));
  let ndcg = 0;
  let auc = 0;
  let loss = 0;
  let counted = 0;
  for (const list of lists) {
    const target = list.engage.indexOf(1);
    if (target < 0) continue;
    const { engage } = runForward(tape, shape, list.batch);
    let above = 0;
    for (let i = 0; i < list.batch.count; i++)
      if (i !== target && engage.data[i] >= engage.data[target]) above++;
    ndcg += 1 / Math.log2(above + 2);
    auc += list.batch.count > 1 ? 1 - above / (list.batch.count - 1) : 1;
    loss += listwiseLoss(engage.data, list.candidatesRepresented, target);
    counted++;
  }
  return { ndcg: ndcg / counted, auc: auc / counted, loss: loss / counted };
}

/** Returns minus the logarithm of the target's softmax probability among all represented candidates. */
function listwiseLoss(logits: Float32Array, candidatesRepresented: Float32Array, target: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++)
    sum += candidatesRepresented[i] * Math.exp(logits[i] - logits[target]);
  return Math.log(sum);
}

const notValidated: Validation = { ndcg: Number.NaN, auc: Number.NaN, loss: Number.NaN };

/**
 * Trains on lists and returns the averaged weights with the lowest validation loss. The same seed and lists give the
 * same weights.
 */
export async function train(
  shape: FeatureShape,
  lists: readonly TrainingList[],
  validation: readonly TrainingList[],
  options: TrainingOptions,
): Promise<TrainingResult> {
  const parameters = options.resume?.parameters ?? initialParameters(shape, new Random(options.seed));
  if (!options.resume) setInputStatistics(parameters, shape, lists);
  const state: LearnerState = options.resume ?? initialLearnerState(parameters);
  const { average, moments } = state;
  let best = options.resume?.best ?? {
    parameters: copyParameters(parameters),
    validation: { ndcg: 0, auc: 0, loss: Number.POSITIVE_INFINITY },
    epoch: 0,
  };
  const learner = new Learner(shape, state, options.weightDecay);
  const stepsPerEpoch = Math.ceil(lists.length / options.listsPerStep);
  const allSteps = stepsPerEpoch * options.epochs;
  const candidatesPerList =
    lists.reduce((sum, list) => sum + list.batch.count, 0) / Math.max(1, lists.length);
  const started = options.clock();
  const startStep = state.step;
  let lastValidation: Validation = options.resume ? best.validation : notValidated;
  let epochsSinceBest = (options.resume?.epoch ?? 0) - best.epoch;
  let epoch = options.resume?.epoch ?? 0;

  while (epoch < options.epochs && epochsSinceBest < options.maxEpochsWithoutGain) {
    // Each epoch seeds its own generator, so that a resumed run draws the same numbers.
    const random = new Random(options.seed + 1 + epoch);
    const order = random.shuffle(lists.map((_, i) => i));
    let loss = 0;
    let listsSincePause = 0;
    for (let at = 0; at < order.length; at += options.listsPerStep) {
      const part = order.slice(at, at + options.listsPerStep);
      learner.clearGradients();
      for (const index of part) {
        loss += learner.addGradients(
          dropFeatures(lists[index], parameters, options.featureDropout ?? 0, random),
        );
        if (options.pause && ++listsSincePause >= (options.listsPerPause ?? 1)) {
          listsSincePause = 0;
          await options.pause();
        }
      }
      if (!Number.isFinite(loss))
        throw new Error(
          `the loss of step ${state.step + 1} is ${loss}: check the training lists for values that are not finite`,
        );
      learner.step(learningRateAt(options.maxLearningRate, state.step + 1, allSteps), part.length);
      const done = Math.min(order.length, at + options.listsPerStep);
      const seconds = Math.max(1e-6, options.clock() - started);
      const perStep = seconds / (state.step - startStep);
      options.onProgress({
        epoch: epoch + 1,
        epochs: options.epochs,
        doneLists: done,
        totalLists: order.length,
        loss: loss / done,
        ndcg: lastValidation.ndcg,
        auc: lastValidation.auc,
        candidatesPerSecond: (candidatesPerList * options.listsPerStep) / perStep,
        secondsLeft: (allSteps - state.step) * perStep,
      });
    }
    epoch++;
    lastValidation = validateOnLists(shape, average, validation);
    epochsSinceBest++;
    if (!(lastValidation.loss >= best.validation.loss)) {
      best = { parameters: copyParameters(average), validation: lastValidation, epoch };
      epochsSinceBest = 0;
    }
    options.onCheckpoint?.({ parameters, average, moments, step: state.step, epoch, best });
  }
  return { parameters: best.parameters, validation: best.validation, epochs: epoch };
}

/**
 * Returns the list with a random share of its dense features set to their mean, which the network standardizes to zero.
 */
function dropFeatures(
  list: TrainingList,
  parameters: Parameters,
  share: number,
  random: Random,
): TrainingList {
  const mean = parameters.get("mean")?.data;
  if (share <= 0 || !mean) return list;
  const dense = list.batch.dense.slice();
  for (let feature = 0; feature < mean.length; feature++) {
    if (random.next() >= share) continue;
    for (let at = feature; at < dense.length; at += mean.length) dense[at] = mean[feature];
  }
  return { ...list, batch: { ...list.batch, dense } };
}
