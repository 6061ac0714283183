import type { FeatureBatch } from "../../../model/features/batch.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { buildManifest } from "../../../model/onnx/manifest.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import {
  applyScalingToWeights,
  fitPlattPausable,
  type PlattScaling,
} from "../../../model/recalibrate/calibration.ts";
import { isHeldOut, type WindowStarts } from "../../../model/recalibrate/example-summary.ts";
import { addLabeledLogits, type LabeledHeads } from "../../../model/recalibrate/labeled-logits.ts";
import type { OutcomeReading } from "../../../model/recalibrate/logged-examples.ts";
import { tapeScorer } from "../../../model/train/train.ts";
import { heldOutLists } from "./held-out-lists.ts";
import type { StepContext } from "./step.ts";
import { finalCheckpoint, type TrainingPlan } from "./train.ts";

/** Name of the data window of models that have learned from the training log. */
export const logWindowName = "training log";

/** The scaling of each head, and the candidate model that includes it. */
export interface CalibrationResult {
  engage: PlattScaling;
  purchase: PlattScaling;
  lists: number;
  version: string;
  bytes: number;
}

/**
 * Fits the scaling of both heads to the calibration window, and stores the candidate model with the scaled weights. The heads
 * are calibrated to the probability of an outcome of a product at the first position.
 */
export async function calibrate(
  context: StepContext,
  plan: TrainingPlan,
  windows: WindowStarts,
  reading: OutcomeReading,
): Promise<CalibrationResult> {
  const { artifacts, pause, settings, id, startedAt, seed } = context;
  const { average: parameters } = await finalCheckpoint(context, plan);
  const score = tapeScorer(featureShape, parameters);
  const labeled: LabeledHeads = { engage: [], purchase: [] };
  let lists = 0;
  const window = heldOutLists(
    context,
    ({ time, pseudonymHash }) =>
      time >= windows.calibration &&
      time < windows.evaluation &&
      !isHeldOut(pseudonymHash, settings.gate.holdoutShare),
    settings.maxCalibrationLists,
    reading,
  );
  for await (const { example, list } of window) {
    lists++;
    addLabeledLogits(labeled, example, list, score(list.batch));
  }
  const heads = [
    await runWithPauses(fitPlattPausable(labeled.engage), pause),
    await runWithPauses(fitPlattPausable(labeled.purchase), pause),
  ] as const;
  applyScalingToWeights(parameters, heads);
  const bytes = new Uint8Array(exportOnnx(featureShape, parameters));
  const { manifest: parent } = await artifacts.model("parent");
  const createdAt = new Date(startedAt * 1000).toISOString();
  const tape = {
    run: async (batch: FeatureBatch) => score(batch),
    release: async () => undefined,
  };
  const manifest = await buildManifest(featureShape, parameters, bytes, tape, {
    version: `recal-${createdAt.slice(0, 10)}-${id.slice(-12)}`,
    parent: parent.version,
    seed,
    createdAt,
    metrics: {},
    firstStage: parent.firstStage,
    dataWindow: {
      name: logWindowName,
      from: null,
      to: new Date(windows.calibration * 1000).toISOString(),
      events: plan.lists,
    },
  });
  await artifacts.putModel("candidate", manifest, bytes);
  return { engage: heads[0], purchase: heads[1], lists, version: manifest.version, bytes: bytes.byteLength };
}
