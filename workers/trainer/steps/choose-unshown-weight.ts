import type { TrainingList } from "../../../model/features/batch.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import {
  addDrawnList,
  type DrawnList,
  DrawnLists,
  type DrawnSums,
  drawnQuality,
  effectiveDrawnOutcomes,
} from "../../../model/recalibrate/drawn-list-quality.ts";
import type { WindowStarts } from "../../../model/recalibrate/example-summary.ts";
import { decodeCorrectionsPausable, trainingListOf } from "../../../model/recalibrate/logged-examples.ts";
import { trainPart } from "../../../model/recalibrate/train-part.ts";
import { Learner } from "../../../model/train/learner.ts";
import { tapeScorer } from "../../../model/train/train.ts";
import type { ExaminationFigures } from "./examination-of-log.ts";
import type { StepContext } from "./step.ts";
import { isLearnable, startFromServing, type TrainingPlan } from "./train.ts";

/** Parts of the snapshot that a trial reads, at most, and drawn lists that judge it: both bound its memory and time. */
const maxParts = 24;
const maxDrawnLists = 600;
/** Effective outcomes of the drawn lists below which they decide nothing. */
const minEffectiveOutcomes = 30;

/** A trained trial with one weight, judged by the lists whose order was drawn. */
interface Trial {
  weight: number;
  /** Discounted share of the outcomes that its order would get; null without outcomes. */
  quality: number | null;
  effectiveOutcomes: number;
}

/** The weight of products that were not shown, and by what it was chosen. */
export interface UnshownChoice {
  unshownWeight: number;
  chosenBy: "drawn lists" | "first setting";
  trials: Trial[];
}

/**
 * Chooses the weight of products that were not shown from the settings: trains a short trial with each on lists in the order
 * of their ranking, and judges it by the lists whose order was drawn, which no trial learns from. Without enough of them,
 * the first setting counts. `runStep` runs each trial as a step.
 */
export async function chooseUnshownWeight(
  context: StepContext,
  plan: TrainingPlan,
  windows: WindowStarts,
  examination: ExaminationFigures,
  runStep: (name: string, work: () => Promise<Trial>) => Promise<Trial>,
): Promise<UnshownChoice> {
  const { unshownWeights, minDrawnLists } = context.settings;
  const trials: Trial[] = [];
  if (unshownWeights.length > 1 && examination.drawnLists >= minDrawnLists)
    for (const [i, weight] of unshownWeights.entries())
      trials.push(
        await runStep(`weigh ${i + 1} of ${unshownWeights.length}`, () =>
          runTrial(context, plan, windows, examination, weight),
        ),
      );
  let best: Trial | null = null;
  for (const trial of trials)
    if (
      trial.effectiveOutcomes >= minEffectiveOutcomes &&
      trial.quality !== null &&
      trial.quality > (best?.quality ?? 0)
    )
      best = trial;
  return {
    unshownWeight: best?.weight ?? unshownWeights[0],
    chosenBy: best ? "drawn lists" : "first setting",
    trials,
  };
}

/** Trains from the serving weights on at most as many rows as one step of the training, and judges the result. */
async function runTrial(
  context: StepContext,
  { schedule, groups }: TrainingPlan,
  windows: WindowStarts,
  { examined }: ExaminationFigures,
  unshownWeight: number,
): Promise<Trial> {
  const { artifacts, pause, settings } = context;
  const examination = { examined: Float64Array.from(examined) };
  const state = await startFromServing(context);
  const learner = new Learner(featureShape, state, schedule.decay);
  const corrections = await runWithPauses(
    decodeCorrectionsPausable(await artifacts.numbers("corrections")),
    pause,
  );
  const drawnLists = new DrawnLists(examination);
  const drawn: { list: TrainingList; drawn: DrawnList }[] = [];
  const parts = groups.flat().slice(0, maxParts);
  let rows = 0;
  for (let epoch = 0; epoch < schedule.epochs && rows < settings.rowsPerStep; epoch++)
    for (const part of parts) {
      const lists: TrainingList[] = [];
      for (const example of await artifacts.shard(part)) {
        if (!isLearnable(example, windows, settings.gate.holdoutShare)) continue;
        const isDrawn = example.rankTemperature !== undefined;
        if (isDrawn ? epoch > 0 || drawn.length >= maxDrawnLists : rows >= settings.rowsPerStep) continue;
        const list = trainingListOf(featureShape, example, corrections, { unshownWeight, examination });
        await pause();
        if (list === null) continue;
        if (!isDrawn) {
          lists.push(list);
          rows += list.batch.count;
          continue;
        }
        const judged = drawnLists.of(example, list);
        if (judged !== null) drawn.push({ list, drawn: judged });
      }
      await trainPart(learner, lists, schedule, { epoch, part }, pause);
    }
  const score = tapeScorer(featureShape, state.average);
  const sums: DrawnSums = { discounted: 0, outcomes: 0, squares: 0 };
  for (const { list, drawn: judged } of drawn) {
    addDrawnList(sums, judged, finalScores(score(list.batch)));
    await pause();
  }
  return {
    weight: unshownWeight,
    quality: drawnQuality(sums),
    effectiveOutcomes: effectiveDrawnOutcomes(sums),
  };
}
