import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { linearRanker, popularityRanker, recencyRanker } from "../../../model/pipeline/fallback-rankers.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { modelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { applicationModels, bundledModel } from "../ranker/isolate-models.ts";
import { RegistryStore } from "../store.ts";
import { modelKey } from "./model-key.ts";

/**
 * Returns the ranker of the registered or bundled model with a file hash. Loads the model if necessary. Scores depend on
 * the file alone, so that any of the manifests of one file will do.
 */
export async function loadRanker(
  env: RecommendationEnv,
  application: string,
  sha256: string,
): Promise<Result<Ranker>> {
  if (bundledModel.ok && bundledModel.value.sha256 === sha256) return bundledModel;
  const row = await new RegistryStore(env.DB).bySha256(application, sha256);
  if (!row) return refuse("not_found", `There is no model with sha256 ${sha256}.`);
  const loaded = applicationModels.get(application, await modelIdentity(modelManifest.parse(row.manifest)));
  if (loaded) return ok(loaded);
  const file = await env.MODELS.get(modelKey(application, sha256));
  if (!file) return refuse("not_found", `The file of model ${row.version} is missing in the bucket MODELS.`);
  return applicationModels.load(application, row.manifest, new Uint8Array(await file.arrayBuffer()), "trial");
}

/**
 * Returns the ranker that a receipt names: a registered or the bundled model, or one of the fallbacks, which have no file.
 */
export async function rankerOf(
  env: RecommendationEnv,
  application: string,
  { version, sha256 }: { version: string; sha256: string },
): Promise<Result<Ranker>> {
  if (sha256 !== "") return loadRanker(env, application, sha256);
  const fallback = [linearRanker, popularityRanker, recencyRanker].find((each) => each.version === version);
  return fallback ? ok(fallback) : refuse("not_found", `There is no model ${version}.`);
}
