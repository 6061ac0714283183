import type { FeatureBatch } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import type { Parameters } from "../../model/network/parameters.ts";
import { exportOnnx } from "../../model/onnx/export.ts";
import { buildManifest } from "../../model/onnx/manifest.ts";
import { scoreByTape } from "../../model/train/train.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";

/** Returns the form of `POST /v1/models` for given weights. Without `firstStage` the default first stage applies. */
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
  const manifest = await buildManifest(featureShape, weights, bytes, tape, {
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
