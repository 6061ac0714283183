import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FeatureBatch } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute.ts";
import type { Parameters } from "../../model/network/parameters.ts";
import { exportOnnx } from "../../model/onnx/export.ts";
import { manifestOf } from "../../model/onnx/manifest.ts";
import { readParameters } from "../../model/onnx/read.ts";
import { scoreByTape } from "../../model/train/train.ts";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { root } from "../workers.ts";

/** The weights of the model that is deployed with the code. */
export function bundledWeights(): Parameters {
  const file = readFileSync(join(root, "model/artifacts/bundled.onnx"));
  const weights = readParameters(featureShape, new Uint8Array(file));
  if (weights === null) throw new Error("the bundled model is of another network");
  return weights;
}

/** What is said of the model that is deployed with the code. */
export const bundledManifest = (): ModelManifest =>
  modelManifest.parse(JSON.parse(readFileSync(join(root, "model/artifacts/bundled.json"), "utf8")));

/** A model of weights as an upload; without a first stage it is that of models which say none. */
export async function createModelUpload(
  version: string,
  weights: Parameters,
  firstStage?: FirstStage,
): Promise<FormData> {
  const bytes = new Uint8Array(exportOnnx(featureShape, weights));
  const tape = {
    run: async (batch: FeatureBatch) => scoreByTape(featureShape, weights, batch),
    release: async () => undefined,
  };
  const manifest = await manifestOf(featureShape, weights, bytes, tape, {
    version,
    parent: null,
    seed: 1,
    createdAt: "2026-01-01T00:00:00Z",
    metrics: {},
    firstStage,
    dataWindow: { name: "test", from: null, to: null, events: 0 },
  });
  const form = new FormData();
  form.set("manifest", JSON.stringify(manifest));
  form.set("model", new Blob([bytes]), "model.onnx");
  return form;
}
