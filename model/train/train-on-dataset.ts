import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import type { CountingRules } from "../replay/tile-pyramid.ts";
import { fitFirstStage } from "./fit-first-stage.ts";
import { Random } from "./random.ts";
import { type TrainingOptions, type TrainingResult, train } from "./train.ts";
import { trainingLists } from "./training-lists.ts";

/** How much data and computation a training run uses. */
export interface TrainingBudget {
  /** Expected number of training lists. */
  lists: number;
  /** Sampled candidates per list, besides the chosen one. */
  negatives: number;
  /** Passes over the lists. */
  epochs: number;
  /** Periods of the events; each sees the catalog and counts as of its start. */
  periods: number;
}

/** Trains in a few minutes and clearly beats the counting baselines. */
export const quickBudget: TrainingBudget = { lists: 9000, negatives: 40, epochs: 8, periods: 4 };
/** The budget behind the figures in `model/README.md`. */
export const fullBudget: TrainingBudget = { lists: 36_000, negatives: 40, epochs: 8, periods: 8 };

/** Share (0 to 1) of the events, oldest first, that only builds up profiles and counts. */
const warmUpShare = 0.3;
/** Expected number of episodes for fitting the first stage. */
const firstStageEpisodes = 6000;

/** The input of ranker training. */
export interface TrainingData {
  firstStage: FirstStage;
  /** Oldest first. */
  lists: TrainingList[];
}

/**
 * Fits the first stage on a dataset's training and validation events, and builds training lists with its candidates.
 * Users count for others by `counting`.
 */
export async function prepareTrainingData(
  dataset: Dataset,
  budget: TrainingBudget,
  seed: number,
  hooks: {
    onExamples(done: number, total: number): void;
    /** Called between units of work, so that other work on the thread can run. */
    pause?(): Promise<void>;
  },
  counting?: CountingRules,
): Promise<TrainingData> {
  const events = [...dataset.train, ...dataset.valid];
  const { onExamples, pause } = hooks;
  const options = { warmUp: warmUpShare, periods: budget.periods, counting, pause };
  const firstStage = await fitFirstStage(dataset, events, {
    ...options,
    sampleSize: firstStageEpisodes,
    random: new Random(seed),
  });
  const lists = await trainingLists(dataset, events, {
    ...options,
    sampleSize: budget.lists,
    negatives: budget.negatives,
    random: new Random(seed),
    firstStage,
    onProgress: onExamples,
  });
  return { firstStage, lists };
}

/** Callbacks and resume state that a caller passes to training. */
export type TrainingHooks = Pick<
  TrainingOptions,
  "clock" | "onProgress" | "onCheckpoint" | "resume" | "pause"
>;

/** Optimizer settings, chosen on validation data. */
const optimizer = {
  listsPerStep: 16,
  maxLearningRate: 2e-3,
  weightDecay: 1e-2,
  maxEpochsWithoutGain: 3,
  featureDropout: 0.05,
};

/** Trains on all but the newest tenth of the lists, and stops early when the newest tenth no longer improves. */
export function trainOnLists(
  lists: readonly TrainingList[],
  budget: TrainingBudget,
  seed: number,
  { clock, onProgress, onCheckpoint, resume, pause }: TrainingHooks,
  shape: FeatureShape = featureShape,
): Promise<TrainingResult> {
  const validationCount = Math.max(1, Math.floor(lists.length / 10));
  return train(shape, lists.slice(0, -validationCount), lists.slice(-validationCount), {
    seed,
    epochs: budget.epochs,
    ...optimizer,
    clock,
    onProgress,
    onCheckpoint,
    resume,
    pause,
  });
}

/**
 * Trains the first stage and the ranker on a dataset, in which users count for others by `counting`. `lists` of the
 * answer is the number of training lists.
 */
export async function trainOnDataset(
  dataset: Dataset,
  budget: TrainingBudget,
  seed: number,
  hooks: TrainingHooks & { onExamples(done: number, total: number): void },
  counting?: CountingRules,
): Promise<TrainingResult & { firstStage: FirstStage; lists: number }> {
  const { firstStage, lists } = await prepareTrainingData(dataset, budget, seed, hooks, counting);
  return { ...(await trainOnLists(lists, budget, seed, hooks)), firstStage, lists: lists.length };
}
