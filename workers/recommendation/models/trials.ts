import bundledManifest from "../../../model/artifacts/bundled.json";
import bundledBytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute.ts";
import { unpackFeatures } from "../../../model/features/packed.ts";
import { randomBatch } from "../../../model/onnx/manifest.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { finalScores, maxCandidates } from "../../../model/pipeline/recommend.ts";
import { type ModelManifest, modelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { bundledModel, registeredModels } from "../ranker/models.ts";
import { RegistryStore } from "../store.ts";
import { modelKey } from "./model-key.ts";

/** A manifest and its file. */
export interface ModelFile {
  manifest: ModelManifest;
  bytes: ArrayBuffer;
}

/** What serves an application: its own model, else the one that is deployed with the code. */
export async function servingModel(env: RecommendationEnv, application: string): Promise<Result<ModelFile>> {
  const row = await new RegistryStore(env.DB).serving(application);
  if (!row) return ok({ manifest: modelManifest.parse(bundledManifest), bytes: bundledBytes });
  const file = await env.MODELS.get(modelKey(application, row.sha256));
  return file
    ? ok({ manifest: modelManifest.parse(row.manifest), bytes: await file.arrayBuffer() })
    : refuse("not_found", `The file of model ${row.version} is missing.`);
}

/** A registered model as a ranker, loaded where it is not. */
async function rankerOf(
  env: RecommendationEnv,
  application: string,
  sha256: string,
): Promise<Result<Ranker>> {
  if (bundledModel.ok && bundledModel.value.sha256 === sha256) return bundledModel;
  const row = await new RegistryStore(env.DB).ofContent(application, sha256);
  if (!row) return refuse("not_found", "There is no model of that content.");
  const loaded = registeredModels.get(row);
  if (loaded) return ok(loaded);
  const file = await env.MODELS.get(modelKey(application, sha256));
  if (!file) return refuse("not_found", `The file of model ${row.version} is missing.`);
  return registeredModels.load(row.manifest, new Uint8Array(await file.arrayBuffer()));
}

/** Scores packed lists by a registered model: what it would have ordered them by. */
export async function scoreLists(
  env: RecommendationEnv,
  application: string,
  sha256: string,
  packs: readonly Uint8Array[],
): Promise<Result<Float32Array[]>> {
  const ranker = await rankerOf(env, application, sha256);
  if (!ranker.ok) return ranker;
  const scores: Float32Array[] = [];
  for (const pack of packs) {
    const batch = unpackFeatures(featureShape, pack);
    if (batch === null) return refuse("invalid_input", "A list was not packed for these features.");
    scores.push(finalScores(await ranker.value.score(batch)));
    await yieldThread();
  }
  return ok(scores);
}

/** Loads a model that is not registered, checks it against its manifest, and runs it `runs` times on as many candidates as serving has. */
export async function tryModel(
  manifest: ModelManifest,
  bytes: ArrayBuffer,
  runs: number,
): Promise<Result<null>> {
  const bundled = bundledModel.ok && bundledModel.value.sha256 === manifest.sha256;
  const ranker = bundled ? bundledModel : await registeredModels.load(manifest, new Uint8Array(bytes));
  if (!ranker.ok) return ranker;
  const batch = randomBatch(featureShape, maxCandidates, 1);
  for (let run = 0; run < runs; run++) {
    await ranker.value.score(batch);
    await yieldThread();
  }
  return ok(null);
}

/** Gives the thread to whoever waits for it: a run takes some milliseconds. */
const yieldThread = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
