import type { ModelManifest, ModelRecord } from "../../../shared/contracts/model.ts";
import { type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { RegistryStore } from "../store.ts";
import { ModelRegistry } from "./model-registry.ts";

/**
 * Uploads of one application: how many run at once, and start within an hour. An upload loads the model and runs it, and
 * a later one also scores thousands of lists by the gate.
 */
export const uploadLimits = { running: 2, perHour: 60, timeoutSeconds: 120 };

/**
 * Registers an uploaded model by {@link ModelRegistry.register}. Refuses with `rate_limited` if the application uploads
 * too many at once or within an hour. `clock` returns seconds since the Unix epoch.
 */
export async function uploadModel(
  env: RecommendationEnv,
  application: string,
  manifest: ModelManifest,
  bytes: ArrayBuffer,
  clock: () => number,
): Promise<Result<ModelRecord>> {
  const store = new RegistryStore(env.DB);
  const upload = { application, id: crypto.randomUUID(), now: clock() };
  if (!(await store.startUpload(upload, uploadLimits)))
    return refuse(
      "rate_limited",
      `An application uploads at most ${uploadLimits.running} models at once, and ${uploadLimits.perHour} in an hour; ` +
        "wait until the others have ended.",
      { retryAfter: 30 },
    );
  try {
    return await new ModelRegistry(env, application).register(manifest, bytes, upload.now);
  } finally {
    await store
      .endUpload(application, upload.id, clock())
      .catch((error: unknown) => console.error({ event: "upload not ended", error: errorText(error) }));
  }
}
