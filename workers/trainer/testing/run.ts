import bundledManifest from "../../../model/artifacts/bundled.json";
import bundledFile from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute.ts";
import { unpackFeatures } from "../../../model/features/packed.ts";
import { parametersIn } from "../../../model/onnx/read.ts";
import { finalScores } from "../../../model/pipeline/recommend.ts";
import { scoreByTape } from "../../../model/train/train.ts";
import { type ModelManifest, modelManifest } from "../../../shared/contracts/model.ts";
import type { RecalibrationRecord } from "../../../shared/contracts/recalibration.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { ArtifactStore } from "../artifacts.ts";
import { Refusal, recalibrate, type StepRunner, tell } from "../recalibrate.ts";
import { type Settings, settings } from "../settings.ts";
import { yieldThread } from "../steps/step.ts";

const parameters = parametersIn(featureShape, new Uint8Array(bundledFile));
if (parameters === null) throw new Error("the bundled model is of another network");
/** The weights that serve. */
export const servingWeights = parameters;

/** What a run came to. */
export interface Run {
  record: RecalibrationRecord;
  candidate: { manifest: ModelManifest; bytes: Uint8Array } | null;
  registered: ModelManifest[];
}

/**
 * A recalibration whose neighbours are the weights themselves, and who is erased up to which life: everything of the trainer is
 * real.
 */
export async function run(
  bucket: R2Bucket,
  application: string,
  startedAt: number,
  more: Partial<Settings> = {},
  step: StepRunner = { do: (_name, _config, work) => work() },
  erased: ReadonlyMap<string, number> = new Map(),
): Promise<Run> {
  const registered: ModelManifest[] = [];
  const env = {
    TRAINING_LOG: bucket,
    USER: {
      tombstones: async (_application: string, users: string[]) =>
        ok(
          [...erased].flatMap(([object, generation]) =>
            users.includes(object) ? [{ object, generation }] : [],
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
            if (batch === null) throw new Error("a list was not packed for these features");
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
  const bench = new ArtifactStore(bucket, application, "run");
  const context = {
    env,
    application,
    id: "run",
    seed: 1,
    startedAt,
    settings: { ...settings.parse({}), ...more },
    bench,
    pause: yieldThread,
  };
  try {
    await recalibrate(context, step);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await tell(context, { status: "refused", reasons: error.reasons });
  }
  const record = await bench.record();
  if (record === null) throw new Error("nothing was told");
  return { record, candidate: await bench.model("candidate").catch(() => null), registered };
}
