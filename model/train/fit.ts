import type { FirstStage } from "../../workers/shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import { featureShape } from "../features/compute.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { trainingLists } from "./examples.ts";
import { fitFirstStage } from "./fit-first-stage.ts";
import { Random } from "./random.ts";
import { type Trained, type TrainingProgress, train } from "./train.ts";

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
export const full: Effort = { lists: 24_000, negatives: 48, epochs: 14, parts: 8 };

/** Share of the events, in time, that only builds up what people and places know. */
const warmUp = 0.3;
/** Episodes by which the first stage is fitted. */
const firstStageEpisodes = 6000;

/** From a dataset to weights: lists from its training part, early stopping on the last of them. */
export async function fit(
  dataset: Dataset,
  effort: Effort,
  seed: number,
  ports: {
    clock(): number;
    onExamples(done: number, total: number): void;
    onProgress(progress: TrainingProgress): void;
    onCheckpoint?(checkpoint: Checkpoint): void;
    resume?: Checkpoint | null;
    /** Called now and then: whoever shares the thread may run. */
    pause?(): Promise<void>;
  },
): Promise<Trained & { firstStage: FirstStage; lists: number }> {
  const events = [...dataset.train, ...dataset.valid];
  const firstStage = await fitFirstStage(dataset, events, {
    warmUp,
    parts: effort.parts,
    most: firstStageEpisodes,
    random: new Random(seed),
    pause: ports.pause,
  });
  const lists = await trainingLists(dataset, events, {
    warmUp,
    parts: effort.parts,
    most: effort.lists,
    negatives: effort.negatives,
    random: new Random(seed),
    firstStage,
    onProgress: ports.onExamples,
    pause: ports.pause,
  });
  // Lists are in time order: the newest tenth judges.
  const held = Math.max(1, Math.floor(lists.length / 10));
  const trained = await train(featureShape, lists.slice(0, -held), lists.slice(-held), {
    seed,
    epochs: effort.epochs,
    batch: 16,
    rate: 2e-3,
    decay: 1e-3,
    patience: 3,
    clock: ports.clock,
    onProgress: ports.onProgress,
    onCheckpoint: ports.onCheckpoint,
    resume: ports.resume,
    pause: ports.pause,
  });
  return { ...trained, firstStage, lists: lists.length };
}
