import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { linearRanker, popularityRanker } from "../../../model/pipeline/fallback-rankers.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { modelManifest } from "../../../shared/contracts/model.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { defaultVariant } from "../../../shared/experiments/variant.ts";
import { bundledModel, registeredModels } from "../ranker/isolate-models.ts";
import { canaryArmOf } from "../rollout/canary-arm.ts";
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
  /** The model in shadow or canary. */
  candidate: (ModelReference & { status: ModelRow["status"] }) | null;
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

/** Loads a registered model into isolate memory, unless it is loaded. Throws if its file is missing or refused. */
async function loadModel(
  env: RecommendationEnv,
  application: string,
  row: ModelRow,
  { identity }: ModelReference,
): Promise<void> {
  if (registeredModels.get(application, identity)) return;
  const file = await env.MODELS.get(modelKey(application, row.sha256));
  if (!file) throw new Error(`the file of model ${row.version} is missing in the bucket MODELS`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  unwrap(await registeredModels.load(application, row.manifest, bytes), "the ranker");
}

/**
 * Reads the serving and the candidate model from the registry and loads both. The old snapshot serves until both are
 * loaded.
 */
async function readRegistry(env: RecommendationEnv, application: string): Promise<void> {
  const readNumber = ++readCount;
  const startedAt = Date.now();
  const rows = await new RegistryStore(env.DB).servingAndCandidate(application);
  const serving = rows.serving && (await referenceOf(rows.serving));
  const candidate = rows.candidate && {
    ...(await referenceOf(rows.candidate)),
    status: rows.candidate.status,
  };
  if (rows.serving && serving) await loadModel(env, application, rows.serving, serving);
  // A candidate that cannot be loaded counts as a failed shadow request. The snapshot must still be updated.
  if (rows.candidate && candidate)
    await loadModel(env, application, rows.candidate, candidate).catch((error: unknown) =>
      console.error({ event: "candidate model not loaded", error: errorText(error) }),
    );
  const current = snapshots.get(application);
  // A slow read must not overwrite the snapshot of a read that started later.
  if (current && current.readNumber > readNumber) return;
  snapshots.set(application, {
    serving,
    candidate,
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
      snapshots.set(application, { serving: null, candidate: null, readNumber: 0, readAt: Date.now() });
    console.error({ event: "model registry not read", error: errorText(error) });
  }
}

/** Returns the ranker of the serving model, read from the registry: a registered model, else the bundled model. */
export async function servingRanker(env: RecommendationEnv, application: string): Promise<Ranker> {
  const { serving } = await new RegistryStore(env.DB).servingAndCandidate(application);
  const reference = serving && (await referenceOf(serving));
  if (serving && reference) await loadModel(env, application, serving, reference);
  const own = reference && registeredModels.get(application, reference.identity);
  return own ?? (bundledModel.ok ? bundledModel.value : linearRanker);
}

/** The rankers for one request. */
export interface ServingRankers {
  /** In order of preference: the pipeline uses the first that works. */
  rankers: Ranker[];
  /** Experiment and arm of the answer. */
  variant: string;
  /**
   * The shadow model that scores the answer too, if this request is sampled; its ranker is null if it is not loaded.
   */
  shadow: { version: string; ranker: Ranker | null } | null;
  /** Why a preferred ranker is missing. */
  skipped?: string;
}

/**
 * Returns the rankers for a user's request, in order of preference. Users of the canary arm get the canary's model
 * first. Then follow the application's serving model (the last one that loaded), the bundled model, the linear scorer
 * and popularity. Only an isolate's first request for an application waits for the registry; a registry failure does
 * not fail the request.
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
  const { serving = null, candidate: candidateRow = null } = snapshots.get(application) ?? {};
  const servingModel = serving ? registeredModels.get(application, serving.identity) : null;
  const settings = rolloutSettingsOf(env);
  const candidate = candidateRow ? registeredModels.get(application, candidateRow.identity) : null;
  const { arm, variant } =
    candidateRow?.status === "canary"
      ? canaryArmOf(application, candidateRow.version, userId, settings.canary.share)
      : { arm: "rest", variant: defaultVariant };
  const inShadowSample = candidateRow?.status === "shadow" && Math.random() < settings.shadow.share;
  const reasons = [
    ...(failedApplications.has(application) ? ["the registry or its model: failed"] : []),
    ...(arm === "canary" && !candidate ? [`${candidateRow?.version}: not loaded`] : []),
    ...(serving && !servingModel ? [`${serving.version}: not loaded`] : []),
    ...(bundledModel.ok ? [] : ["the bundled model: refused"]),
  ];
  return {
    rankers: [
      ...(arm === "canary" && candidate ? [candidate] : []),
      ...(servingModel ? [servingModel] : []),
      ...(bundledModel.ok ? [bundledModel.value] : []),
      linearRanker,
      popularityRanker,
    ],
    variant,
    shadow: candidateRow && inShadowSample ? { version: candidateRow.version, ranker: candidate } : null,
    ...(reasons.length > 0 ? { skipped: reasons.join("; ") } : {}),
  };
}
