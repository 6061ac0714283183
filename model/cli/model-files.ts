import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { allEvents, type Dataset } from "../data/dataset.ts";
import { featureShape } from "../features/compute-features.ts";
import type { Parameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import { buildManifest } from "../onnx/manifest.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, type Validation } from "../train/checkpoint.ts";

const checkpointFile = (folder: string): string => join(folder, "checkpoint.bin");

/** Reads the checkpoint in a folder; null if there is none for the current features. */
export function readCheckpoint(folder: string): Checkpoint | null {
  const file = checkpointFile(folder);
  return existsSync(file) ? decodeCheckpoint(featureShape, new Uint8Array(readFileSync(file))) : null;
}

/** Writes a checkpoint into a folder. */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(checkpointFile(folder), encodeCheckpoint(featureShape, checkpoint));
}

/** Writes the model `NAME.onnx` and its manifest `NAME.json`, and returns the manifest. */
export async function writeModel(
  folder: string,
  name: string,
  parameters: Parameters,
  metadata: {
    dataset: Dataset;
    seed: number;
    validation: Validation;
    firstStage: FirstStage;
    createdAt: string;
  },
): Promise<ModelManifest> {
  const bytes = new Uint8Array(exportOnnx(featureShape, parameters));
  const session = await loadModelInNode(bytes, featureShape);
  const times = allEvents(metadata.dataset).map((event) => event.time);
  const instant = (time: number): string => new Date(time * 1000).toISOString();
  const manifest = await buildManifest(featureShape, parameters, bytes, session, {
    version: `${metadata.dataset.name}-${metadata.createdAt.slice(0, 10)}-s${metadata.seed}`
      .replaceAll(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 64),
    parent: null,
    firstStage: metadata.firstStage,
    seed: metadata.seed,
    createdAt: metadata.createdAt,
    metrics: { validationNdcg: metadata.validation.ndcg, validationAuc: metadata.validation.auc },
    dataWindow: {
      name: metadata.dataset.name,
      from: instant(times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)),
      to: instant(times.reduce((a, b) => Math.max(a, b), 0)),
      events: times.length,
    },
  });
  await session.release();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.onnx`), bytes);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(manifest)}\n`);
  return manifest;
}
