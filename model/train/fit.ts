import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { featureShape } from "../features/compute.ts";
import { trainingLists } from "./examples.ts";
import { fitFirstStage } from "./fit-first-stage.ts";
import { Random } from "./random.ts";
import { type Trained, type TrainingOptions, train } from "./train.ts";

/** How much to spend. */
export interface Effort {
  lists: number;
  negatives: number;
  epochs: number;
  parts: number;
}

/** A few minutes' work; enough to clearly beat counting. */
export const quick: Effort = { lists: 9000, negatives: 40, epochs: 8, parts: 4 };
/** What the figures of the model card are made with. */
export const full: Effort = { lists: 36_000, negatives: 40, epochs: 8, parts: 8 };

/** Share of the events, in time, that only builds up what people and places know. */
const warmUp = 0.3;
/** Episodes by which the first stage is fitted. */
const firstStageEpisodes = 6000;

/** What training learns from. */
export interface Prepared {
  firstStage: FirstStage;
  /** In the order of time. */
  lists: TrainingList[];
}

/** From a dataset's training part to the first stage's weights, and to lists of what they let through. */
export async function prepare(
  dataset: Dataset,
  effort: Effort,
  seed: number,
  ports: {
    onExamples(done: number, total: number): void;
    /** Called now and then: whoever shares the thread may run. */
    pause?(): Promise<void>;
  },
): Promise<Prepared> {
  const events = [...dataset.train, ...dataset.valid];
  const { onExamples, pause } = ports;
  const options = { warmUp, parts: effort.parts, pause };
  const firstStage = await fitFirstStage(dataset, events, {
    ...options,
    most: firstStageEpisodes,
    random: new Random(seed),
  });
  const lists = await trainingLists(dataset, events, {
    ...options,
    most: effort.lists,
    negatives: effort.negatives,
    random: new Random(seed),
    firstStage,
    onProgress: onExamples,
  });
  return { firstStage, lists };
}

/** What whoever trains may hear and say. */
export type TrainingPorts = Pick<
  TrainingOptions,
  "clock" | "onProgress" | "onCheckpoint" | "resume" | "pause"
>;

/** From lists to weights, with early stopping on the newest tenth of them. */
export function fitLists(
  lists: readonly TrainingList[],
  effort: Effort,
  seed: number,
  { clock, onProgress, onCheckpoint, resume, pause }: TrainingPorts,
  shape: FeatureShape = featureShape,
): Promise<Trained> {
  const held = Math.max(1, Math.floor(lists.length / 10));
  return train(shape, lists.slice(0, -held), lists.slice(-held), {
    seed,
    epochs: effort.epochs,
    batch: 16,
    rate: 2e-3,
    decay: 1e-2,
    maxEpochsWithoutGain: 3,
    clock,
    onProgress,
    onCheckpoint,
    resume,
    pause,
  });
}

/** From a dataset to weights. */
export async function fitModel(
  dataset: Dataset,
  effort: Effort,
  seed: number,
  ports: TrainingPorts & { onExamples(done: number, total: number): void },
): Promise<Trained & { firstStage: FirstStage; lists: number }> {
  const { firstStage, lists } = await prepare(dataset, effort, seed, ports);
  return { ...(await fitLists(lists, effort, seed, ports)), firstStage, lists: lists.length };
}
