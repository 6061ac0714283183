import { hash53 } from "../../../model/columns/hash.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { readParameters } from "../../../model/onnx/read-parameters.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import {
  isHeldOut,
  visitSummariesPausable,
  type WindowStarts,
} from "../../../model/recalibrate/example-summary.ts";
import {
  decodeCorrectionsPausable,
  type LoggedExample,
  type OutcomeReading,
  trainingListOf,
} from "../../../model/recalibrate/logged-examples.ts";
import { type TrainingSchedule, trainPart } from "../../../model/recalibrate/train-part.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../../model/train/checkpoint.ts";
import { initialLearnerState, Learner } from "../../../model/train/learner.ts";
import type { RecalibrationSettings } from "../settings.ts";
import type { StepContext } from "./step.ts";

/** Examples decoded between two pauses: about 1 ms of CPU time. */
const examplesPerPause = 8;

/** The schedule of the training and its division into steps. */
export interface TrainingPlan {
  schedule: TrainingSchedule;
  /** Snapshot parts by step, in order; the same in each epoch. */
  groups: number[][];
  /** Lists to train on, in one epoch. */
  lists: number;
}

/** Returns the training plan of a snapshot, from the summaries of its examples. */
export async function planTraining(
  { pause, settings, seed }: StepContext,
  summaries: Float64Array,
  windows: WindowStarts,
): Promise<TrainingPlan> {
  const rows: number[] = [];
  const lists: number[] = [];
  const count = visitSummariesPausable(summaries, (each) => {
    const learnable =
      isInTraining(each.time, windows) && !isHeldOut(each.pseudonymHash, settings.gate.holdoutShare);
    rows[each.part] = (rows[each.part] ?? 0) + (learnable ? each.rows : 0);
    lists[each.part] = (lists[each.part] ?? 0) + (learnable ? 1 : 0);
  });
  await runWithPauses(count, pause);
  const groups: number[][] = [];
  let groupRows = 0;
  for (const [part, count] of rows.entries()) {
    const last = groups.at(-1);
    if (!last || groupRows + count > settings.rowsPerStep) {
      groups.push([part]);
      groupRows = count;
    } else {
      last.push(part);
      groupRows += count;
    }
  }
  const perEpoch = lists.reduce((sum, count) => sum + Math.ceil(count / settings.batch), 0);
  const { batch, rate, decay } = settings;
  const epochs = epochCount(perEpoch, settings);
  return {
    schedule: { seed, epochs, batch, rate, decay, steps: Math.max(1, epochs * perEpoch) },
    groups,
    lists: lists.reduce((sum, count) => sum + count, 0),
  };
}

/**
 * Returns the number of epochs. The number of optimizer steps bounds how far the weights can move. Three epochs over a
 * few hundred lists leave the model almost unchanged, and the gate then finds no gain.
 */
export function epochCount(
  stepsPerEpoch: number,
  { epochs, minSteps, maxEpochs }: Pick<RecalibrationSettings, "epochs" | "minSteps" | "maxEpochs">,
): number {
  const wanted = Math.ceil(minSteps / Math.max(1, stepsPerEpoch));
  return Math.max(epochs, Math.min(maxEpochs, wanted));
}

/**
 * Returns the state before the first step, with the serving model's weights. Throws if the serving model has another
 * network.
 */
export async function startFromServing({ artifacts }: StepContext): Promise<Checkpoint> {
  const { bytes } = await artifacts.model("parent");
  const parameters = readParameters(featureShape, bytes);
  if (parameters === null)
    throw new Error("the serving model does not have the network of this version: train a new model first");
  return {
    ...initialLearnerState(parameters),
    epoch: 0,
    // A recalibration does not select a best epoch: the gate evaluates the final weights.
    best: { parameters, validation: { ndcg: 0, auc: 0, loss: 0 }, epoch: 0 },
  };
}

/** Returns the name of the checkpoint that a training step writes. */
const checkpointName = (epoch: number, group: number): string => `${epoch}-${group}`;

const isInTraining = (time: number, { training = 0, calibration }: WindowStarts): boolean =>
  time >= training && time < calibration;

/**
 * Returns whether candidates learn from an example: the serving model has not, it is older than the held-out windows, and its
 * user is not held out.
 */
export const isLearnable = (
  { time, pseudonym }: Pick<LoggedExample, "time" | "pseudonym">,
  windows: WindowStarts,
  holdoutShare: number,
): boolean => isInTraining(time, windows) && !isHeldOut(hash53(pseudonym), holdoutShare);

/** Trains on one group of parts in one epoch, and stores a checkpoint. Returns the mean loss per list. */
export async function trainStep(
  context: StepContext,
  { schedule, groups }: TrainingPlan,
  windows: WindowStarts,
  reading: OutcomeReading,
  epoch: number,
  group: number,
): Promise<{ loss: number }> {
  const { artifacts, pause, settings } = context;
  const before =
    group > 0
      ? checkpointName(epoch, group - 1)
      : epoch > 0
        ? checkpointName(epoch - 1, groups.length - 1)
        : null;
  const state = before === null ? await startFromServing(context) : await loadCheckpoint(context, before);
  const learner = new Learner(featureShape, state, schedule.decay);
  const corrections = await runWithPauses(
    decodeCorrectionsPausable(await artifacts.numbers("corrections")),
    pause,
  );
  let loss = 0;
  for (const part of groups[group]) {
    const lists = [];
    let read = 0;
    for (const example of await artifacts.shard(part)) {
      if (++read % examplesPerPause === 0) await pause();
      if (!isLearnable(example, windows, settings.gate.holdoutShare)) continue;
      const list = trainingListOf(featureShape, example, corrections, reading);
      if (list !== null) lists.push(list);
    }
    loss += await trainPart(learner, lists, schedule, { epoch, part }, pause);
  }
  const bytes = encodeCheckpoint(featureShape, { ...state, epoch });
  await artifacts.putCheckpoint(checkpointName(epoch, group), new Uint8Array(bytes));
  return { loss: loss / groups[group].length };
}

/** Returns the state that a training step stored. */
export async function loadCheckpoint({ artifacts }: StepContext, name: string): Promise<Checkpoint> {
  const state = decodeCheckpoint(featureShape, await artifacts.checkpoint(name));
  if (state === null) throw new Error(`checkpoint ${name} of the recalibration is damaged`);
  return state;
}

/** Returns the state after all training steps. */
export const finalCheckpoint = (
  context: StepContext,
  { schedule, groups }: TrainingPlan,
): Promise<Checkpoint> => loadCheckpoint(context, checkpointName(schedule.epochs - 1, groups.length - 1));
