import type { Dataset } from "../data/dataset.ts";
import { featureShape } from "../features/compute.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { trainingLists } from "./examples.ts";
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
): Promise<Trained & { lists: number }> {
  const events = [...dataset.train, ...dataset.valid];
  const lists = await trainingLists(dataset, events, {
    warmUp: 0.3,
    parts: effort.parts,
    most: effort.lists,
    negatives: effort.negatives,
    random: new Random(seed),
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
  return { ...trained, lists: lists.length };
}
