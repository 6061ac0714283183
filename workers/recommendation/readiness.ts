import { errorText } from "../../shared/errors/error-text.ts";
import { pseudonymSecretOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { bundledModel } from "./ranker/isolate-models.ts";
import { RegistryStore } from "./store.ts";

/** Returns whether the worker can answer: it has a model and the pseudonym secret, and can read its database. */
export async function readinessOf(env: RecommendationEnv): Promise<Readiness> {
  if (!bundledModel.ok)
    return { ready: false, detail: `the bundled model was refused: ${bundledModel.error.detail}` };
  try {
    pseudonymSecretOf(env);
  } catch (error) {
    return { ready: false, detail: errorText(error) };
  }
  try {
    await new RegistryStore(env.DB).probe();
    return { ready: true, detail: "ready" };
  } catch {
    return {
      ready: false,
      detail: "the recommendation database cannot be read: apply migrations/recommendation",
    };
  }
}
