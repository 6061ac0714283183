import bundledBytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { unpackFeatures } from "../../../model/features/pack-features.ts";
import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import { maxCandidates } from "../../../model/pipeline/run-pipeline.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import { type ModelManifest, modelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { applicationModels, bundledModel } from "../ranker/isolate-models.ts";
import { RegistryStore } from "../store.ts";
import { bundledModelManifest } from "./bundled-model.ts";
import { loadRanker } from "./load-ranker.ts";
import { modelKey } from "./model-key.ts";

/** A model's manifest and file. */
export interface ModelFile {
  manifest: ModelManifest;
  bytes: ArrayBuffer;
}

/** Returns the model that serves an application: its registered model, else the bundled model. */
export async function servingModelFile(
  env: RecommendationEnv,
  application: string,
): Promise<Result<ModelFile>> {
  const row = await new RegistryStore(env.DB).serving(application);
  if (!row) return ok({ manifest: bundledModelManifest, bytes: bundledBytes });
  const file = await env.MODELS.get(modelKey(application, row.sha256));
  return file
    ? ok({ manifest: modelManifest.parse(row.manifest), bytes: await file.arrayBuffer() })
    : refuse("not_found", `The file of model ${row.version} is missing in the bucket MODELS.`);
}

/**
 * Scores packed candidate lists by a model. Returns the final scores of each list: the order that serving would use.
 */
export async function scoreLists(
  env: RecommendationEnv,
  application: string,
  sha256: string,
  packs: readonly Uint8Array[],
): Promise<Result<Float32Array[]>> {
  const ranker = await loadRanker(env, application, sha256);
  if (!ranker.ok) return ranker;
  const scores: Float32Array[] = [];
  for (const pack of packs) {
    const batch = unpackFeatures(featureShape, pack);
    if (batch === null)
      return refuse(
        "invalid_input",
        "A list was packed for another feature layout; pack it with the present one.",
      );
    scores.push(finalScores(await ranker.value.score(batch)));
    await yieldToEventLoop();
  }
  return ok(scores);
}

/**
 * Loads a model, which need not be registered, and checks it against its manifest. Then scores a list of the largest
 * size `runs` times, so that the caller can measure the latency.
 */
export async function tryModel(
  application: string,
  manifest: ModelManifest,
  bytes: ArrayBuffer,
  runs: number,
): Promise<Result<null>> {
  const identity = await modelIdentity(manifest);
  const loaded = applicationModels.get(application, identity);
  const ranker = loaded
    ? ok(loaded)
    : identity === (await modelIdentity(bundledModelManifest))
      ? bundledModel
      : await applicationModels.load(application, manifest, new Uint8Array(bytes), "trial");
  if (!ranker.ok) return ranker;
  const batch = randomBatch(featureShape, maxCandidates, 1);
  for (let run = 0; run < runs; run++) {
    await ranker.value.score(batch);
    await yieldToEventLoop();
  }
  return ok(null);
}
