/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { featureShape } from "../../../model/features/compute.ts";
import { initialParameters, type Parameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { manifestOf } from "../../../model/onnx/manifest.ts";
import { Random } from "../../../model/train/random.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { Registry } from "../models/registry.ts";
import { openSession } from "../ranker/runtime.ts";
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

/** The registry's tables, empty. */
export const openRegistry = (): Promise<void> => applyD1Migrations(database, bindings.MIGRATIONS);

/** The services over a registry and a log that answer, with settings of roll-outs. */
export const environmentWith = (rollout: object): RecommendationEnv =>
  ({
    ...services,
    DB: database,
    MODELS: bindings.MODELS,
    TRAINING_LOG: bindings.TRAINING_LOG,
    USER: { tombstones: async () => ok([]) },
    ROLLOUT: JSON.stringify(rollout),
  }) as unknown as RecommendationEnv;

/** A manifest and its file. */
export interface ModelFile {
  manifest: ModelManifest;
  bytes: ArrayBuffer;
}

/** A model of random weights that a seed decides. */
export const modelOf = (version: string, seed: number): Promise<ModelFile> =>
  modelWith(version, initialParameters(featureShape, new Random(seed)));

/** A model of weights. */
export async function modelWith(version: string, parameters: Parameters): Promise<ModelFile> {
  const bytes = new Uint8Array(exportOnnx(featureShape, parameters));
  const session = await openSession(bytes, featureShape);
  const manifest = await manifestOf(featureShape, parameters, bytes, session, {
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

/** Registers a model of random weights; answers where it is then. */
export async function registered(
  environment: RecommendationEnv,
  application: string,
  version: string,
  seed: number,
  now: number,
) {
  const { manifest, bytes } = await modelOf(version, seed);
  const result = unwrap(
    await new Registry(environment, application).register(manifest, bytes, now),
    "the registry",
  );
  return result;
}
