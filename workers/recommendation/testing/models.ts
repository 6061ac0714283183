/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { featureShape } from "../../../model/features/compute-features.ts";
import { initialParameters, type Parameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { buildManifest } from "../../../model/onnx/manifest.ts";
import { Random } from "../../../model/train/random.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { rateLimitedBucket } from "../../../shared/testing/platform/rate-limited-r2.ts";
import { ModelRegistry } from "../models/model-registry.ts";
import { applicationModels } from "../ranker/isolate-models.ts";
import { openSession } from "../ranker/open-session.ts";
import { services } from "./services.ts";

interface Bindings {
  DB: D1Database;
  MODELS: R2Bucket;
  TRAINING_LOG: R2Bucket;
  MIGRATIONS: D1Migration[];
}
const bindings = env as unknown as Bindings;
export const database = bindings.DB;
export const trainingLog = bindings.TRAINING_LOG;

/** Creates the tables of the registry. */
export const migrateRegistry = (): Promise<void> => applyD1Migrations(database, bindings.MIGRATIONS);

/** Returns an environment with a working registry and training log, and with rollout settings. */
export const environmentWithRollout = (rollout: object): RecommendationEnv =>
  ({
    ...services,
    DB: database,
    MODELS: rateLimitedBucket(bindings.MODELS),
    TRAINING_LOG: bindings.TRAINING_LOG,
    USER: { findTombstones: async () => ok([]) },
    ROLLOUT: JSON.stringify(rollout),
  }) as unknown as RecommendationEnv;

/** A model's manifest and file. */
export interface GeneratedModel {
  manifest: ModelManifest;
  bytes: ArrayBuffer;
}

/** Returns a model with random weights from a seed. */
export const randomModel = (version: string, seed: number): Promise<GeneratedModel> =>
  modelWithWeights(version, initialParameters(featureShape, new Random(seed)));

/** Returns a model with the given weights. */
export async function modelWithWeights(version: string, parameters: Parameters): Promise<GeneratedModel> {
  const bytes = new Uint8Array(exportOnnx(featureShape, parameters));
  const session = await openSession(bytes, featureShape);
  const manifest = await buildManifest(featureShape, parameters, bytes, session, {
    version,
    parent: null,
    seed: 1,
    createdAt: "2026-01-01T00:00:00Z",
    metrics: {},
    dataWindow: { name: "test", from: null, to: null, events: 0 },
  });
  await session.release();
  return { manifest, bytes: bytes.slice().buffer };
}

/** Registers a model with random weights and returns its record. */
export async function registerRandomModel(
  environment: RecommendationEnv,
  application: string,
  version: string,
  seed: number,
  now: number,
) {
  const { manifest, bytes } = await randomModel(version, seed);
  return unwrap(
    await new ModelRegistry(environment, application).register(manifest, bytes, now),
    "the registry",
  );
}

/**
 * Loads models of other tenants until `places` more of their size have a place. Models that are not needed any more give
 * theirs up.
 */
export async function leavePlaces(places: number): Promise<void> {
  const { manifest, bytes } = await randomModel("other", 99);
  const tenants: string[] = [];
  for (;;) {
    const tenant = `tenant-${tenants.length}`;
    const loaded = await applicationModels.load(tenant, manifest, new Uint8Array(bytes), "serving");
    if (!loaded.ok) break;
    tenants.push(tenant);
  }
  for (const tenant of tenants.slice(0, places)) applicationModels.assign(tenant, new Map());
}
