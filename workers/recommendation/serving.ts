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

/** Rankers in the order of preference, and why the first of them is not what it should be. */
export interface Serving {
  rankers: Ranker[];
  skipped?: string;
}

/**
 * Rankers of an application in the order of preference: its own model (the last good one, where a newer one cannot be
 * loaded), the bundled one, the linear scorer, popularity. Only an isolate's first request for an application waits for
 * the registry; a failure there is no reason not to answer.
 */
export async function servingOf(
  env: RecommendationEnv,
  application: string,
  later: (work: Promise<unknown>) => void,
): Promise<Serving> {
  const known = pointers.get(application);
  const read = refresher(env, application);
  if (!known) await read();
  else if (Date.now() - known.readAt > pointerMs) {
    // Not again by every request while this one is under way.
    known.readAt = Date.now();
    later(read());
  }
  const model = pointers.get(application)?.model;
  const own = model ? registeredModels.get(model) : null;
  const reasons = [
    ...(failures.has(application) ? ["the registry or its model: failed"] : []),
    ...(model && !own ? [`${model.version}: not loaded`] : []),
    ...(bundledModel.ok ? [] : ["the bundled model: refused"]),
  ];
  return {
    rankers: [
      ...(own ? [own] : []),
      ...(bundledModel.ok ? [bundledModel.value] : []),
      linearRanker,
      popularityRanker,
    ],
    ...(reasons.length > 0 ? { skipped: reasons.join("; ") } : {}),
  };
}

/** Applications whose pointer or model could not be read when last tried. */
const failures = new Set<string>();

const refresher = (env: RecommendationEnv, application: string) => (): Promise<void> =>
  refresh(env, application).then(
    () => void failures.delete(application),
    (error: unknown) => {
      failures.add(application);
      // The next requests go on with what there is, and do not wait for what has just failed.
      if (!pointers.has(application)) pointers.set(application, { model: null, readAt: Date.now() });
      console.error({ event: "model pointer not read", error: String(error) });
    },
  );
