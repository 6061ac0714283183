import { gradually } from "../../../model/gradual.ts";
import { parametersIn } from "../../../model/onnx/read.ts";
import { correctionsGradually, listOf } from "../../../model/recalibrate/logged-examples.ts";
import { eachSummary, type Windows } from "../../../model/recalibrate/summary.ts";
import type { Course } from "../../../model/recalibrate/train-epochs.ts";
import { learn as learnLists } from "../../../model/recalibrate/train-epochs.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../../model/train/checkpoint.ts";
import { beginLearning, Learner } from "../../../model/train/learner.ts";
import { shape } from "../artifacts.ts";
import type { Settings } from "../settings.ts";
import type { StepContext } from "./step.ts";

/** Examples of a part that are read between two pauses: about 1 ms of one core. */
const examplesPerPause = 8;

/** What is learnt, and in which steps. */
export interface Plan {
  course: Course;
  /** Parts of the snapshot that one step works through, in order; the same in each epoch. */
  groups: number[][];
  lists: number;
}

/** Plans the training of a snapshot, of which each example is known in numbers. */
export async function plan(
  { pause, settings, seed }: StepContext,
  summaries: Float64Array,
  windows: Windows,
): Promise<Plan> {
  const rows: number[] = [];
  const lists: number[] = [];
  const count = eachSummary(summaries, (each) => {
    const learnable = each.time < windows.calibration;
    rows[each.part] = (rows[each.part] ?? 0) + (learnable ? each.rows : 0);
    lists[each.part] = (lists[each.part] ?? 0) + (learnable ? 1 : 0);
  });
  await gradually(count, pause);
  const groups: number[][] = [];
  let gathered = 0;
  for (const [part, count] of rows.entries()) {
    const last = groups.at(-1);
    if (!last || gathered + count > settings.rowsPerStep) {
      groups.push([part]);
      gathered = count;
    } else {
      last.push(part);
      gathered += count;
    }
  }
  const perEpoch = lists.reduce((sum, count) => sum + Math.ceil(count / settings.batch), 0);
  const { batch, rate, decay } = settings;
  const epochs = epochsOf(perEpoch, settings);
  return {
    course: { seed, epochs, batch, rate, decay, steps: Math.max(1, epochs * perEpoch) },
    groups,
    lists: lists.reduce((sum, count) => sum + count, 0),
  };
}

/**
 * How often all lists are gone through. What a model may move is bounded by the steps of its optimizer: three rounds over a
 * few hundred lists leave it where it was, however much people have changed, and the gate finds no gain.
 */
export function epochsOf(
  stepsPerEpoch: number,
  { epochs, minSteps, maxEpochs }: Pick<Settings, "epochs" | "minSteps" | "maxEpochs">,
): number {
  const wanted = Math.ceil(minSteps / Math.max(1, stepsPerEpoch));
  return Math.max(epochs, Math.min(maxEpochs, wanted));
}

/** The state before the first step: the serving model's weights, where it is of this network. */
async function warm({ bench }: StepContext): Promise<Checkpoint> {
  const { bytes } = await bench.model("parent");
  const parameters = parametersIn(shape, bytes);
  if (parameters === null)
    throw new Error("the serving model is of another network: it cannot be gone on from");
  return {
    ...beginLearning(parameters),
    epoch: 0,
    // Nothing is chosen among epochs here: the gate judges what comes out.
    best: { parameters, validation: { ndcg: 0, auc: 0, loss: 0 }, epoch: 0 },
  };
}

/** Name of what a step leaves; the one before the first leaves nothing. */
const checkpointAfter = (epoch: number, group: number): string => `${epoch}-${group}`;

/** One step: a group of parts in one epoch. Answers the mean loss. */
export async function learn(
  context: StepContext,
  { course, groups }: Plan,
  windows: Windows,
  epoch: number,
  group: number,
): Promise<{ loss: number }> {
  const { bench, pause } = context;
  const before =
    group > 0
      ? checkpointAfter(epoch, group - 1)
      : epoch > 0
        ? checkpointAfter(epoch - 1, groups.length - 1)
        : null;
  const state = before === null ? await warm(context) : await stateOf(context, before);
  const learner = new Learner(shape, state, course.decay);
  const corrections = await gradually(correctionsGradually(await bench.numbers("corrections")), pause);
  let loss = 0;
  for (const part of groups[group]) {
    const lists = [];
    let read = 0;
    for (const example of await bench.shard(part)) {
      if (++read % examplesPerPause === 0) await pause();
      if (example.time >= windows.calibration) continue;
      const list = listOf(shape, example, corrections);
      if (list !== null) lists.push(list);
    }
    loss += await learnLists(learner, lists, course, { epoch, part }, pause);
  }
  const bytes = encodeCheckpoint(shape, { ...state, epoch });
  await bench.putCheckpoint(checkpointAfter(epoch, group), new Uint8Array(bytes));
  return { loss: loss / groups[group].length };
}

/** The state that a step left. */
export async function stateOf({ bench }: StepContext, name: string): Promise<Checkpoint> {
  const state = decodeCheckpoint(shape, await bench.checkpoint(name));
  if (state === null) throw new Error(`checkpoint ${name} is damaged`);
  return state;
}

/** The state after all steps. */
export const learnt = (context: StepContext, { course, groups }: Plan): Promise<Checkpoint> =>
  stateOf(context, checkpointAfter(course.epochs - 1, groups.length - 1));
