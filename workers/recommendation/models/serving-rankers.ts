import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { linearRanker, popularityRanker } from "../../../model/pipeline/fallback-rankers.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { modelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { defaultVariant } from "../../../shared/experiments/variant.ts";
import { applicationModels, bundledModel } from "../ranker/isolate-models.ts";
import type { ModelUse } from "../ranker/model-memory.ts";
import { canaryArmOf, canaryShareAt } from "../rollout/canary-arm.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { type ModelRow, RegistryStore } from "../store.ts";
import { modelKey } from "./model-key.ts";

/** Age at which a snapshot is read again after a response, in milliseconds. */
const snapshotTtlMs = 5000;

/** A version of the registry, and the identity by which it is in isolate memory. */
interface ModelReference {
  version: string;
  identity: string;
}

/** The registry's models of an application, as this isolate last read them. */
interface RegistrySnapshot {
  /** The serving model; null if the application has no registered model that serves. */
  serving: ModelReference | null;
  /** The model in shadow or canary. `failed` says that its file is missing or refused. */
  candidate:
    | (ModelReference & {
        status: ModelRow["status"];
        failed: boolean;
        /** When its canary began, in seconds since the Unix epoch; null before. */
        canaryAt: number | null;
      })
    | null;
  /** The registered models that experiments compare, as far as this isolate could load them. */
  compared: ModelReference[];
  /** Versions for which this isolate has no memory now. */
  withoutPlace: string[];
  /** Number of the read that produced the snapshot. Reads are numbered in the order in which they start. */
  readNumber: number;
  /** When the last read started, in milliseconds since the Unix epoch. */
  readAt: number;
}

let readCount = 0;

/** Snapshots by application. */
const snapshots = new Map<string, RegistrySnapshot>();

/** Returns the reference of a version. */
const referenceOf = async ({ version, manifest }: ModelRow): Promise<ModelReference> => ({
  version,
  identity: await modelIdentity(modelManifest.parse(manifest)),
});

/**
 * Loads a registered model into isolate memory, unless it is loaded. Refuses with `unavailable` if there is no memory for
 * it now, before its file is read. Throws if its file is missing or refused.
 */
async function loadModel(
  env: RecommendationEnv,
  application: string,
  row: ModelRow,
  { identity }: ModelReference,
  use: ModelUse,
): Promise<Result<Ranker>> {
  const present = applicationModels.getRegistered(application, identity);
  if (present) return ok(present);
  const manifest = modelManifest.parse(row.manifest);
  if (!applicationModels.hasPlace(application, manifest, use))
    return refuse("unavailable", `There is no memory for model ${row.version} now.`, {
      retryAfter: snapshotTtlMs / 1000,
    });
  const file = await env.MODELS.get(modelKey(application, row.sha256));
  if (!file) throw new Error(`the file of model ${row.version} is missing in the bucket MODELS`);
  const loaded = await applicationModels.load(
    application,
    manifest,
    new Uint8Array(await file.arrayBuffer()),
    use,
  );
  if (loaded.ok || loaded.error.code === "unavailable") return loaded;
  throw new Error(`the ranker refused model ${row.version}: ${loaded.error.detail}`);
}

/** Returns what the models of an application are for, by identity. */
function usesOf(
  serving: ModelReference | null,
  candidate: ModelReference | null,
  compared: readonly ModelReference[],
): ReadonlyMap<string, ModelUse> {
  const uses = new Map<string, ModelUse>(compared.map(({ identity }) => [identity, "candidate"]));
  if (candidate) uses.set(candidate.identity, "candidate");
  if (serving) uses.set(serving.identity, "serving");
  return uses;
}

/**
 * Reads the serving model, those that experiments compare and the candidate from the registry, and loads them in this
 * order, if this isolate has memory for them. The old snapshot serves until they are loaded.
 */
async function readRegistry(env: RecommendationEnv, application: string): Promise<void> {
  const readNumber = ++readCount;
  const startedAt = Date.now();
  const store = new RegistryStore(env.DB);
  const [rows, comparedRows] = await Promise.all([
    store.servingAndCandidate(application),
    store.compared(application, startedAt / 1000),
  ]);
  const serving = rows.serving && (await referenceOf(rows.serving));
  const candidate = rows.candidate && {
    ...(await referenceOf(rows.candidate)),
    status: rows.candidate.status,
    failed: false,
    canaryAt:
      rows.candidate.status === "canary"
        ? ((await store.rollout(application, rows.candidate.version))?.canaryAt ?? null)
        : null,
  };
  const references = await Promise.all(comparedRows.map(referenceOf));
  // A slow read must undo nothing of a read that started later.
  if ((snapshots.get(application)?.readNumber ?? 0) < readNumber)
    applicationModels.assign(application, usesOf(serving, candidate, references));
  const withoutPlace: string[] = [];
  if (rows.serving && serving) {
    const loaded = await loadModel(env, application, rows.serving, serving, "serving");
    if (!loaded.ok) withoutPlace.push(serving.version);
  }
  const compared: ModelReference[] = [];
  for (const [i, row] of comparedRows.entries())
    try {
      const loaded = await loadModel(env, application, row, references[i], "candidate");
      if (loaded.ok) compared.push(references[i]);
      else withoutPlace.push(row.version);
    } catch (error) {
      console.error({ event: "model of an experiment not loaded", error: errorText(error) });
    }
  // A candidate whose file is missing or refused counts as a failed shadow request. The snapshot must still be updated.
  if (rows.candidate && candidate)
    try {
      const loaded = await loadModel(env, application, rows.candidate, candidate, "candidate");
      if (!loaded.ok && !withoutPlace.includes(candidate.version)) withoutPlace.push(candidate.version);
    } catch (error) {
      candidate.failed = true;
      console.error({ event: "candidate model not loaded", error: errorText(error) });
    }
  const current = snapshots.get(application);
  const before = current?.withoutPlace.join();
  if (withoutPlace.length > 0 && withoutPlace.join() !== before)
    console.warn({ event: "no memory for models", application, versions: withoutPlace });
  if (current && current.readNumber > readNumber) return;
  snapshots.set(application, {
    serving,
    candidate,
    compared,
    withoutPlace,
    readNumber,
    readAt: Math.max(startedAt, current?.readAt ?? 0),
  });
}

/** Applications whose last registry read or model load failed. */
const failedApplications = new Set<string>();

/** Reads the registry again, so that this isolate's next answers use the present models. Logs a failure. */
export async function refreshSnapshot(env: RecommendationEnv, application: string): Promise<void> {
  try {
    await readRegistry(env, application);
    failedApplications.delete(application);
  } catch (error) {
    failedApplications.add(application);
    // Without a snapshot, each of the next requests would wait for the failing registry.
    if (!snapshots.has(application))
      snapshots.set(application, {
        ...{ serving: null, candidate: null, compared: [], withoutPlace: [] },
        ...{ readNumber: 0, readAt: Date.now() },
      });
    console.error({ event: "model registry not read", error: errorText(error) });
  }
}

/**
 * Returns the ranker of the serving model, read from the registry: a registered model, else the bundled model. Refuses with
 * `unavailable` if this isolate has no memory for it now.
 */
export async function servingRanker(env: RecommendationEnv, application: string): Promise<Result<Ranker>> {
  const { serving } = await new RegistryStore(env.DB).servingAndCandidate(application);
  if (serving) return loadModel(env, application, serving, await referenceOf(serving), "serving");
  return ok(bundledModel.ok ? bundledModel.value : linearRanker);
}

/** Returns the experiment and arm of an answer: those of the request only if the model of the arm ranked it. */
export const variantOfAnswer = (
  { rankers, variant }: Pick<ServingRankers, "rankers" | "variant">,
  ranker: Ranker,
): string => (ranker === rankers[0] ? variant : defaultVariant);

/** The rankers for one request. */
export interface ServingRankers {
  /** In order of preference: the pipeline uses the first that works. */
  rankers: Ranker[];
  /** Experiment and arm of the answer, if the first of the rankers ranks it. */
  variant: string;
  /**
   * The shadow model that scores the answer too, if this request is sampled; its ranker is null if it cannot be loaded.
   */
  shadow: { version: string; ranker: Ranker | null } | null;
  /** Why a preferred ranker is missing. */
  skipped?: string;
  /** The rankers of a user who is not in the canary. The first one is what serves, if `isServingLoaded`. */
  withoutCanary: Ranker[];
  isServingLoaded: boolean;
  /** The models that experiments may compare and that this isolate has in memory, by version. */
  compared: ReadonlyMap<string, Ranker>;
}

/** The models of an experiment's variants; null stands for what serves. */
export interface ComparedModels {
  all: readonly (string | null)[];
  /** The model of the user's variant. */
  own: string | null;
}

/**
 * Returns whether this isolate has all models that an experiment compares. It takes part only then: otherwise the users of
 * its variants would be those of different isolates.
 */
export const hasModels = (serving: ServingRankers, { all }: Pick<ComparedModels, "all">): boolean =>
  all.every((version) => (version === null ? serving.isServingLoaded : serving.compared.has(version)));

/**
 * Returns the rankers of a user in an experiment whose models this isolate has: the model of the variant first. The user is
 * not in the canary, and only answers of the serving model are compared with a shadow model's. An answer of a fallback counts
 * for the variant, since the failure is the model's.
 */
export function rankersOfVariant(serving: ServingRankers, { own }: ComparedModels): ServingRankers {
  const model = own === null ? undefined : serving.compared.get(own);
  return {
    ...serving,
    rankers: [...(model ? [model] : []), ...serving.withoutCanary],
    variant: defaultVariant,
    shadow: model ? null : serving.shadow,
  };
}

/**
 * Returns the rankers for a user's request, in order of preference. Users of the canary arm get the canary's model
 * first. Then follow the application's serving model (the last one that loaded), the bundled model, the linear scorer
 * and popularity. Only an isolate's first request for an application waits for the registry; a registry failure does
 * not fail the request.
 *
 * An isolate takes part in a canary only while it has both models in memory. Otherwise its answers belong to neither arm:
 * if those of the control group counted, the two arms would be of different requests.
 */
export async function rankersFor(
  env: RecommendationEnv,
  application: string,
  userId: string,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<ServingRankers> {
  const snapshot = snapshots.get(application);
  if (!snapshot) await refreshSnapshot(env, application);
  else if (Date.now() - snapshot.readAt > snapshotTtlMs) {
    // Other requests must not start a read while this one runs.
    snapshot.readAt = Date.now();
    waitUntil(refreshSnapshot(env, application));
  }
  const {
    serving = null,
    candidate: candidateRow = null,
    compared: comparedReferences = [],
    withoutPlace = [],
  } = snapshots.get(application) ?? {};
  const servingModel = serving ? applicationModels.getRegistered(application, serving.identity) : null;
  const settings = rolloutSettingsOf(env);
  const candidate = candidateRow ? applicationModels.getRegistered(application, candidateRow.identity) : null;
  const isServingLoaded = serving ? servingModel !== null : bundledModel.ok;
  const hasBoth = candidate !== null && isServingLoaded;
  const assigned =
    candidateRow?.status === "canary"
      ? canaryArmOf(
          application,
          candidateRow.version,
          userId,
          canaryShareAt(Date.now() / 1000 - (candidateRow.canaryAt ?? Date.now() / 1000), settings.canary),
        )
      : { arm: "rest", variant: defaultVariant };
  const { arm, variant } = hasBoth ? assigned : { arm: "rest", variant: defaultVariant };
  const inShadowSample = candidateRow?.status === "shadow" && Math.random() < settings.shadow.share;
  const whyMissing = (version: string): string =>
    `${version}: ${withoutPlace.includes(version) ? "no memory in this isolate" : "not loaded"}`;
  const reasons = [
    ...(failedApplications.has(application) ? ["the registry or its model: failed"] : []),
    ...(candidateRow && assigned.arm === "canary" && !candidate ? [whyMissing(candidateRow.version)] : []),
    ...(serving && !servingModel ? [whyMissing(serving.version)] : []),
    ...(bundledModel.ok ? [] : ["the bundled model: refused"]),
  ];
  const withoutCanary = [
    ...(servingModel ? [servingModel] : []),
    ...(bundledModel.ok ? [bundledModel.value] : []),
    linearRanker,
    popularityRanker,
  ];
  const compared = new Map<string, Ranker>();
  if (bundledModel.ok) compared.set(bundledModel.value.version, bundledModel.value);
  for (const { version, identity } of comparedReferences) {
    const ranker = applicationModels.getRegistered(application, identity);
    if (ranker) compared.set(version, ranker);
  }
  return {
    rankers: [...(arm === "canary" && candidate ? [candidate] : []), ...withoutCanary],
    ...{ variant, withoutCanary, isServingLoaded, compared },
    // A shadow model without memory has not failed: other isolates score it.
    shadow:
      candidateRow && inShadowSample && (candidate || candidateRow.failed)
        ? { version: candidateRow.version, ranker: candidate }
        : null,
    ...(reasons.length > 0 ? { skipped: reasons.join("; ") } : {}),
  };
}
