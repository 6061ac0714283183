import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import { ablationNamed, type RankerFile } from "../evaluate/ranker-file.node.ts";
import type { TrainingList } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import { exportOnnx } from "../onnx/export.ts";
import type { CountingRules } from "../replay/tile-pyramid.ts";
import {
  type TrainingBudget,
  type TrainingHooks,
  trainOnDataset,
  trainOnLists,
} from "../train/train-on-dataset.ts";

/** A training as data, which can cross to another thread. */
export interface TrainJob {
  budget: TrainingBudget;
  seed: number;
  input: DatasetInput | ListsInput;
}

/** Trains the full model on a dataset. */
interface DatasetInput {
  dataset: Dataset;
  counting?: CountingRules;
}

/** Trains on given lists, without a part of the model. */
interface ListsInput {
  lists: readonly TrainingList[];
  firstStage: FirstStage;
  /** Name of the ablation. */
  ablation: string;
}

/** Trains a model. The same job gives the same model on any thread. */
export async function train(
  { budget, seed, input }: TrainJob,
  hooks: TrainingHooks & { onExamples(done: number, total: number): void },
): Promise<RankerFile> {
  if ("dataset" in input) {
    const { dataset, counting } = input;
    const { parameters, firstStage } = await trainOnDataset(dataset, budget, seed, hooks, counting);
    return { version: `seed-${seed}`, bytes: exportOnnx(featureShape, parameters), firstStage };
  }
  const { lists, firstStage, ablation } = input;
  const { shape, removeFrom } = ablationNamed(ablation);
  const reducedLists = lists.map((list) => ({ ...list, batch: removeFrom(list.batch) }));
  const { parameters } = await trainOnLists(reducedLists, budget, seed, hooks, shape);
  return { version: `without ${ablation}`, bytes: exportOnnx(shape, parameters), firstStage, ablation };
}
