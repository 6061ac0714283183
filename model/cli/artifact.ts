import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { allEvents, type Dataset } from "../data/dataset.ts";
import { featureShape } from "../features/compute.ts";
import type { Parameters } from "../network/parameters.ts";
import { exportOnnx } from "../onnx/export.ts";
import { manifestOf } from "../onnx/manifest.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import type { Validation } from "../train/checkpoint.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../train/checkpoint.ts";

const checkpointFile = (folder: string): string => join(folder, "checkpoint.bin");

/** The checkpoint in a folder, if there is one for these features. */
export function readCheckpoint(folder: string): Checkpoint | null {
  const file = checkpointFile(folder);
  return existsSync(file) ? decodeCheckpoint(featureShape, new Uint8Array(readFileSync(file))) : null;
}

/** Keeps a checkpoint in a folder. */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(checkpointFile(folder), encodeCheckpoint(featureShape, checkpoint));
}

/** Writes `NAME.onnx` and its manifest `NAME.json`. */
export async function writeModel(
  folder: string,
  name: string,
  parameters: Parameters,
  facts: {
    dataset: Dataset;
    seed: number;
    validation: Validation;
    firstStage: FirstStage;
    createdAt: string;
  },
): Promise<ModelManifest> {
  const bytes = new Uint8Array(exportOnnx(featureShape, parameters));
  const session = await nodeSession(bytes, featureShape);
  const times = allEvents(facts.dataset).map((event) => event.time);
  const instant = (time: number): string => new Date(time * 1000).toISOString();
  const manifest = await manifestOf(featureShape, parameters, bytes, session, {
    version: `${facts.dataset.name}-${facts.createdAt.slice(0, 10)}-s${facts.seed}`
      .replaceAll(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 64),
    parent: null,
    firstStage: facts.firstStage,
    seed: facts.seed,
    createdAt: facts.createdAt,
    metrics: { validationNdcg: facts.validation.ndcg, validationAuc: facts.validation.auc },
    dataWindow: {
      name: facts.dataset.name,
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
