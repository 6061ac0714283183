import { Tape } from "../autograd/tape.ts";
import type { FeatureBatch, FeatureShape, Scores, TrainingList } from "../features/batch.ts";
import { copyParameters, initialParameters, type Parameters } from "../network/parameters.ts";
import type { Checkpoint, Validation } from "./checkpoint.ts";
import { beginLearning, forward, Learner, type LearnerState, rateAt, tensorsOf } from "./learner.ts";
import { Random } from "./random.ts";
import { setStatistics } from "./statistics.ts";

/** How to train. */
export interface TrainingOptions {
  seed: number;
  epochs: number;
  /** Lists in one step of the optimizer. */
  batch: number;
  /** Highest learning rate; it falls to a twentieth along a half cosine. */
  rate: number;
  decay: number;
  /** Epochs without a better validation after which training stops. */
  maxEpochsWithoutGain: number;
  /** Seconds, from any start. */
  clock(): number;
  onProgress(progress: TrainingProgress): void;
  /** Called after each epoch with all that is needed to go on from there. */
  onCheckpoint?(checkpoint: Checkpoint): void;
  /** Where an earlier training stopped. */
  resume?: Checkpoint | null;
  /** Called every `listsPerPause` (1) lists, which is the unit of work: whoever shares the thread may run. */
  pause?(): Promise<void>;
  listsPerPause?: number;
  /** Share of the dense features that are hidden, others for each list, so that none is relied on alone; 0. */
  featureDropout?: number;
}

/** Where training is. */
export interface TrainingProgress {
  epoch: number;
  epochs: number;
  /** Lists of this epoch that are done, of so many. */
  done: number;
  total: number;
  loss: number;
  /** Of the last validation; NaN before the first. */
  auc: number;
  ndcg: number;
  /** Candidates trained on, a second. */
  samplesPerSecond: number;
  secondsLeft: number;
}

/** The best weights by validation, and how good they were. */
export interface Trained {
  parameters: Parameters;
  validation: Validation;
  epochs: number;
}

/** Scores batches with weights, all by one tape, whose room is 4 MB: what the exported file must agree with. */
export function tapeScorer(shape: FeatureShape, parameters: Parameters): (batch: FeatureBatch) => Scores {
  const tape = new Tape(tensorsOf(parameters));
  return (batch) => {
    const { engage, purchase } = forward(tape, shape, batch);
    return { engage: engage.data.slice(), purchase: purchase.data.slice() };
  };
}

/** {@link tapeScorer}, for one batch. */
export const scoreByTape = (shape: FeatureShape, parameters: Parameters, batch: FeatureBatch): Scores =>
  tapeScorer(shape, parameters)(batch);

/** Mean reciprocal log rank (NDCG with one relevant item), AUC and listwise loss of the engagement head. */
export function validate(
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
    const { engage } = forward(tape, shape, list.batch);
    let above = 0;
    for (let i = 0; i < list.batch.count; i++)
      if (i !== target && engage.data[i] >= engage.data[target]) above++;
    ndcg += 1 / Math.log2(above + 2);
    auc += list.batch.count > 1 ? 1 - above / (list.batch.count - 1) : 1;
    loss += listwiseLoss(engage.data, list.standsFor, target);
    counted++;
  }
  return { ndcg: ndcg / counted, auc: auc / counted, loss: loss / counted };
}

/** Minus the log of the target's share in the softmax over all that the rows stand for. */
function listwiseLoss(logits: Float32Array, standsFor: Float32Array, target: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += standsFor[i] * Math.exp(logits[i] - logits[target]);
  return Math.log(sum);
}

const unknown: Validation = { ndcg: Number.NaN, auc: Number.NaN, loss: Number.NaN };

/** Trains on lists and keeps the averaged weights that validate best. Same seed and lists, same weights. */
export async function train(
  shape: FeatureShape,
  lists: readonly TrainingList[],
  validation: readonly TrainingList[],
  options: TrainingOptions,
): Promise<Trained> {
  const parameters = options.resume?.parameters ?? initialParameters(shape, new Random(options.seed));
  if (!options.resume) setStatistics(parameters, shape, lists);
  const state: LearnerState = options.resume ?? beginLearning(parameters);
  const { average, moments } = state;
  let best = options.resume?.best ?? {
    parameters: copyParameters(parameters),
    validation: { ndcg: 0, auc: 0, loss: Number.POSITIVE_INFINITY },
    epoch: 0,
  };
  const learner = new Learner(shape, state, options.decay);
  const stepsPerEpoch = Math.ceil(lists.length / options.batch);
  const allSteps = stepsPerEpoch * options.epochs;
  const samples = lists.reduce((sum, list) => sum + list.batch.count, 0) / Math.max(1, lists.length);
  const started = options.clock();
  const startStep = state.step;
  let last: Validation = options.resume ? best.validation : unknown;
  let sinceBest = (options.resume?.epoch ?? 0) - best.epoch;
  let epoch = options.resume?.epoch ?? 0;

  while (epoch < options.epochs && sinceBest < options.maxEpochsWithoutGain) {
    // Each epoch has its own stream, so that one that goes on from a checkpoint draws the same.
    const random = new Random(options.seed + 1 + epoch);
    const order = random.shuffle(lists.map((_, i) => i));
    let loss = 0;
    let sincePause = 0;
    for (let at = 0; at < order.length; at += options.batch) {
      const part = order.slice(at, at + options.batch);
      learner.begin();
      for (const index of part) {
        loss += learner.see(hideFeatures(lists[index], parameters, options.featureDropout ?? 0, random));
        if (options.pause && ++sincePause >= (options.listsPerPause ?? 1)) {
          sincePause = 0;
          await options.pause();
        }
      }
      if (!Number.isFinite(loss))
        throw new Error(`The loss is ${loss} in step ${state.step + 1}: an input is not finite.`);
      learner.step(rateAt(options.rate, state.step + 1, allSteps), part.length);
      const done = Math.min(order.length, at + options.batch);
      const seconds = Math.max(1e-6, options.clock() - started);
      const perStep = seconds / (state.step - startStep);
      options.onProgress({
        epoch: epoch + 1,
        epochs: options.epochs,
        done,
        total: order.length,
        loss: loss / done,
        ndcg: last.ndcg,
        auc: last.auc,
        samplesPerSecond: (samples * options.batch) / perStep,
        secondsLeft: (allSteps - state.step) * perStep,
      });
    }
    epoch++;
    last = validate(shape, average, validation);
    sinceBest++;
    if (!(last.loss >= best.validation.loss)) {
      best = { parameters: copyParameters(average), validation: last, epoch };
      sinceBest = 0;
    }
    options.onCheckpoint?.({ parameters, average, moments, step: state.step, epoch, best });
  }
  return { parameters: best.parameters, validation: best.validation, epochs: epoch };
}

/** The list with a share of its dense features at their mean, which the network sees as zero. */
function hideFeatures(
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
