import { linearRanker, popularityRanker } from "../../model/pipeline/fallback.ts";
import type { Ranker } from "../../model/pipeline/ports.ts";
import { bundledModel, registeredModels } from "./ranker/models.ts";
import { modelKey } from "./registry.ts";
import { RegistryStore } from "./store.ts";

/** A pointer older than this is read again, off the response path. */
const pointerMs = 5000;

interface Pointer {
  /** Null where the application has no model of its own. */
  model: { version: string; sha256: string } | null;
  readAt: number;
}

/** What serves each application, as this isolate last read it. */
const pointers = new Map<string, Pointer>();

/** Makes the next request read the pointer anew. */
export const forgetPointer = (application: string): void => void pointers.delete(application);

/** Reads what serves and warms it; the old model answers until that is done. */
async function refresh(env: RecommendationEnv, application: string): Promise<void> {
  const row = await new RegistryStore(env.DB).serving(application);
  if (row && !registeredModels.get(row)) {
    const file = await env.MODELS.get(modelKey(application, row.sha256));
    if (!file) throw new Error(`the file of model ${row.version} is missing`);
    const loaded = await registeredModels.load(row.manifest, new Uint8Array(await file.arrayBuffer()));
    if (!loaded.ok) throw new Error(`model ${row.version} was refused: ${loaded.error.detail}`);
  }
  pointers.set(application, {
    model: row ? { version: row.version, sha256: row.sha256 } : null,
    readAt: Date.now(),
  });
}

/**
 * Rankers of an application in the order of preference: its own model, the bundled one, the linear scorer, popularity.
 * Only an isolate's first request for an application waits for the registry; a failure there is no reason not to answer.
 */
export async function rankersOf(
  env: RecommendationEnv,
  application: string,
  later: (work: Promise<unknown>) => void,
): Promise<Ranker[]> {
  const known = pointers.get(application);
  const report = (error: unknown): void =>
    console.error({ event: "model pointer not read", error: String(error) });
  if (!known) await refresh(env, application).catch(report);
  else if (Date.now() - known.readAt > pointerMs) {
    // Not again by every request while this one is under way.
    known.readAt = Date.now();
    later(refresh(env, application).catch(report));
  }
  const model = pointers.get(application)?.model;
  const own = model ? registeredModels.get(model) : null;
  return [
    ...(own ? [own] : []),
    ...(bundledModel.ok ? [bundledModel.value] : []),
    linearRanker,
    popularityRanker,
  ];
}
