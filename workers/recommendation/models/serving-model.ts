import { linearRanker, popularityRanker } from "../../../model/pipeline/fallback.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { defaultVariant } from "../../../shared/experiments/variant.ts";
import { bundledModel, registeredModels } from "../ranker/models.ts";
import { canaryArmOf } from "../rollout/arms.ts";
import { settingsOf } from "../settings.ts";
import { type ModelRow, RegistryStore } from "../store.ts";
import { modelKey } from "./model-key.ts";

/** A pointer older than this is read again, off the response path. */
const pointerMs = 5000;

type Named = Pick<ModelRow, "version" | "sha256">;

interface Pointer {
  /** Null where the application has no model of its own. */
  model: Named | null;
  /** What is on its way into service beside it. */
  candidate: (Named & { status: ModelRow["status"] }) | null;
  /** Number of the reading that it comes from: a later one knows no older state. */
  reading: number;
  /** When it was last asked for, in ms: a reading that takes long makes it no younger. */
  askedAt: number;
}

let readings = 0;

/** What serves each application, as this isolate last read it. */
const pointers = new Map<string, Pointer>();

/** Warms a model where it is not warm; throws where that cannot be done. */
async function warm(env: RecommendationEnv, application: string, row: ModelRow): Promise<void> {
  if (registeredModels.get(row)) return;
  const file = await env.MODELS.get(modelKey(application, row.sha256));
  if (!file) throw new Error(`the file of model ${row.version} is missing`);
  unwrap(await registeredModels.load(row.manifest, new Uint8Array(await file.arrayBuffer())), "the ranker");
}

/** Reads what serves, and what is on its way, and warms both; what was known before answers until that is done. */
async function refresh(env: RecommendationEnv, application: string): Promise<void> {
  const reading = ++readings;
  const askedAt = Date.now();
  const { serving, candidate } = await new RegistryStore(env.DB).inUse(application);
  if (serving) await warm(env, application, serving);
  // A newcomer that cannot be loaded is its own failure, and no reason to keep an older pointer.
  if (candidate)
    await warm(env, application, candidate).catch((error: unknown) =>
      console.error({ event: "newcomer not loaded", error: errorText(error) }),
    );
  const known = pointers.get(application);
  // One that began earlier and was slower must not bring back what it superseded.
  if (known && known.reading > reading) return;
  pointers.set(application, {
    ...{ model: serving, candidate, reading },
    askedAt: Math.max(askedAt, known?.askedAt ?? 0),
  });
}

/** Reads the pointer of an application anew, where something changed it: this isolate's next answers follow it. */
export const followPointer = (env: RecommendationEnv, application: string): Promise<void> =>
  refresher(env, application)();

/** What serves everybody outside a canary, by the registry: an application's own model, else the one deployed with the code. */
export async function servingRanker(env: RecommendationEnv, application: string): Promise<Ranker> {
  const { serving } = await new RegistryStore(env.DB).inUse(application);
  if (serving) await warm(env, application, serving);
  const own = serving ? registeredModels.get(serving) : null;
  return own ?? (bundledModel.ok ? bundledModel.value : linearRanker);
}

/** Rankers in the order of preference, and why the first of them is not what it should be. */
export interface Serving {
  rankers: Ranker[];
  /** Of which experiment's arm the answer is. */
  variant: string;
  /** The version that is to score the answer too, and its ranker; null where that could not be loaded. */
  shadow: { version: string; ranker: Ranker | null } | null;
  skipped?: string;
}

/**
 * Rankers of an application in the order of preference: for people of a canary the newcomer, the application's own model
 * (the last good one, where a newer one cannot be loaded), the bundled one, the linear scorer, popularity. Only an isolate's
 * first request for an application waits for the registry; a failure there is no reason not to answer.
 */
export async function servingOf(
  env: RecommendationEnv,
  application: string,
  userId: string,
  later: (work: Promise<unknown>) => void,
): Promise<Serving> {
  const known = pointers.get(application);
  const read = refresher(env, application);
  if (!known) await read();
  else if (Date.now() - known.askedAt > pointerMs) {
    // Not again by every request while this one is under way.
    known.askedAt = Date.now();
    later(read());
  }
  const { model = null, candidate: pointed = null } = pointers.get(application) ?? {};
  const own = model ? registeredModels.get(model) : null;
  const settings = settingsOf(env);
  const candidate = pointed ? registeredModels.get(pointed) : null;
  const { arm, variant } =
    pointed?.status === "canary"
      ? canaryArmOf(application, pointed.version, userId, settings.canary.share)
      : { arm: "rest", variant: defaultVariant };
  const scored = pointed?.status === "shadow" && Math.random() < settings.shadow.share;
  const reasons = [
    ...(failures.has(application) ? ["the registry or its model: failed"] : []),
    ...(arm === "canary" && !candidate ? [`${pointed?.version}: not loaded`] : []),
    ...(model && !own ? [`${model.version}: not loaded`] : []),
    ...(bundledModel.ok ? [] : ["the bundled model: refused"]),
  ];
  return {
    rankers: [
      ...(arm === "canary" && candidate ? [candidate] : []),
      ...(own ? [own] : []),
      ...(bundledModel.ok ? [bundledModel.value] : []),
      linearRanker,
      popularityRanker,
    ],
    variant,
    shadow: pointed && scored ? { version: pointed.version, ranker: candidate } : null,
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
      if (!pointers.has(application))
        pointers.set(application, { model: null, candidate: null, reading: 0, askedAt: Date.now() });
      console.error({ event: "model pointer not read", error: errorText(error) });
    },
  );
