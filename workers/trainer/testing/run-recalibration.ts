import bundledManifest from "../../../model/artifacts/bundled.json";
import bundledFile from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { unpackFeatures } from "../../../model/features/pack-features.ts";
import { readParameters } from "../../../model/onnx/read-parameters.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import { scoreByTape } from "../../../model/train/train.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import { type ModelManifest, modelManifest } from "../../../shared/contracts/model.ts";
import type { RecalibrationRecord } from "../../../shared/contracts/recalibration.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { rateLimitedBucket } from "../../../shared/testing/platform/rate-limited-r2.ts";
import { ArtifactStore } from "../artifacts.ts";
import { RecalibrationRefusedError, recalibrate, type StepRunner, updateRecord } from "../recalibrate.ts";
import { type RecalibrationSettings, recalibrationSettings } from "../settings.ts";
import { RecalibrationStore } from "../store.ts";
import { database } from "./database.ts";

const parameters = readParameters(featureShape, new Uint8Array(bundledFile));
if (parameters === null) throw new Error("the bundled model does not have the network of this version");
/** Weights of the serving model. */
export const servingWeights = parameters;

/** The result of a test run. */
export interface RecalibrationRun {
  record: RecalibrationRecord;
  candidate: { manifest: ModelManifest; bytes: Uint8Array } | null;
  registered: ModelManifest[];
}

/** The bucket of the test as R2 limits it, and its clock in milliseconds. */
let limitedBucket: R2Bucket | null = null;
let bucketTime = 0;

/**
 * Runs a recalibration with the trainer's real code on a bucket that takes one write a second to a key. Doubles replace
 * the recommendation service, which serves the bundled weights, and the user service, which reports `erased`: the last
 * erased generation by pseudonym. The clock of the bucket stands still unless a refused write waits, so that any second
 * write to a key is refused, also of a later run.
 */
export async function runRecalibration(
  bucket: R2Bucket,
  application: string,
  startedAt: number,
  overrides: Partial<RecalibrationSettings> = {},
  step: StepRunner = { do: (_name, _config, work) => work() },
  erased: ReadonlyMap<string, number> = new Map(),
): Promise<RecalibrationRun> {
  const registered: ModelManifest[] = [];
  limitedBucket ??= rateLimitedBucket(bucket, () => bucketTime);
  const env = {
    TRAINING_LOG: limitedBucket,
    USER: {
      findTombstones: async (_application: string, pseudonyms: string[]) =>
        ok(
          [...erased].flatMap(([pseudonym, generation]) =>
            pseudonyms.includes(pseudonym) ? [{ pseudonym, generation }] : [],
          ),
        ),
    },
    RECOMMENDATION: {
      servingModel: async () =>
        ok({ manifest: modelManifest.parse(bundledManifest), bytes: bundledFile.slice(0) }),
      scoreLists: async (_application: string, _sha256: string, packs: Uint8Array[]) =>
        ok(
          packs.map((pack) => {
            const batch = unpackFeatures(featureShape, pack);
            if (batch === null) throw new Error("the features of a list do not have this shape");
            return finalScores(scoreByTape(featureShape, servingWeights, batch));
          }),
        ),
      tryModel: async () => ok(null),
      registerCandidate: async (_application: string, manifest: ModelManifest) => {
        registered.push(manifest);
        return ok({});
      },
    },
  } as unknown as TrainerEnv;
  const artifacts = new ArtifactStore(limitedBucket, application, "run", async (ms) => {
    bucketTime += ms;
  });
  const records = new RecalibrationStore(database, "this process");
  const context = {
    env,
    application,
    id: "run",
    seed: 1,
    startedAt,
    settings: { ...recalibrationSettings.parse({}), ...overrides },
    artifacts,
    records,
    pause: yieldToEventLoop,
  };
  try {
    await recalibrate(context, step);
  } catch (error) {
    if (!(error instanceof RecalibrationRefusedError)) throw error;
    await updateRecord(context, { status: "refused", reasons: error.reasons });
  }
  const record = await records.find(application, "run");
  if (record === null) throw new Error("the recalibration has no record");
  return { record, candidate: await artifacts.model("candidate").catch(() => null), registered };
}
