import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import { featureShape } from "../features/compute-features.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import type { Ranker } from "../pipeline/ports.ts";
import type { CountingRules } from "../replay/tile-pyramid.ts";
import { type TrainingBudget, trainOnDataset } from "../train/train-on-dataset.ts";
import { terminalHooks } from "./progress.ts";

/** Returns a ranker that scores with a model in ONNX Runtime. */
export async function onnxRanker(
  version: string,
  bytes: Uint8Array,
  firstStage?: FirstStage,
): Promise<Ranker> {
  const session = await loadModelInNode(bytes, featureShape);
  return { version, sha256: "", firstStage, score: (batch) => session.run(batch) };
}

/** Trains a model on a dataset, prints the progress, and returns the model as a ranker. */
export async function trainRanker(
  dataset: Dataset,
  budget: TrainingBudget,
  seed: number,
  counting?: CountingRules,
): Promise<Ranker> {
  const { parameters, firstStage } = await trainOnDataset(dataset, budget, seed, terminalHooks, counting);
  return onnxRanker(`seed-${seed}`, exportOnnx(featureShape, parameters), firstStage);
}
