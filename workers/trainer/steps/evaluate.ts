import { featureShape } from "../../../model/features/compute-features.ts";
import { packFeatures } from "../../../model/features/pack-features.ts";
import { readParameters } from "../../../model/onnx/read-parameters.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import {
  type CalibrationFigures,
  calibrationError,
  calibrationFigures,
  type LabeledLogit,
  type PlattScaling,
} from "../../../model/recalibrate/calibration.ts";
import {
  type Comparison,
  compareListsPausable,
  type JudgedList,
  judgeList,
} from "../../../model/recalibrate/compare.ts";
import { isHeldOut, type WindowStarts } from "../../../model/recalibrate/example-summary.ts";
import { addLabeledLogits, type LabeledHeads } from "../../../model/recalibrate/labeled-logits.ts";
import type { OutcomeReading } from "../../../model/recalibrate/logged-examples.ts";
import { tapeScorer } from "../../../model/train/train.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { CalibrationResult } from "./calibrate.ts";
import { type HeldOutList, heldOutLists } from "./held-out-lists.ts";
import type { StepContext } from "./step.ts";

/** Lists per scoring call to the recommendation service. */
const listsPerCall = 64;

/**
 * Expected calibration error of a head before and after its scaling, and the other figures after it. Null without a
 * positive outcome.
 */
export interface HeadCalibration {
  before: number | null;
  after: number | null;
  /** Absent in evaluations of the release before. */
  figures?: CalibrationFigures | null;
}

/** The candidate's figures on the evaluation window. */
export interface EvaluationResult {
  comparison: Comparison;
  calibration: { engage: HeadCalibration; purchase: HeadCalibration };
  finiteWeights: boolean;
}

/**
 * Evaluates the candidate against the serving model and the baselines, on the evaluation window and on all lists of users who
 * are held out.
 */
export async function evaluate(
  context: StepContext,
  calibrated: CalibrationResult,
  windows: WindowStarts,
  reading: OutcomeReading,
): Promise<EvaluationResult> {
  const { artifacts, settings } = context;
  const { bytes } = await artifacts.model("candidate");
  const parameters = readParameters(featureShape, bytes);
  if (parameters === null)
    throw new Error("the candidate's ONNX file does not have the network of this version");
  const score = tapeScorer(featureShape, parameters);
  const serving = (await artifacts.model("parent")).manifest.sha256;
  const lists: JudgedList[] = [];
  const labeled: LabeledHeads = { engage: [], purchase: [] };
  let pending: HeldOutList[] = [];
  const flush = async (): Promise<void> => {
    const served = await servedScores(context, serving, pending);
    for (const [i, { example, list }] of pending.entries()) {
      const scores = score(list.batch);
      await context.pause();
      const scored = { example, list, candidate: finalScores(scores), serving: served[i] };
      lists.push(judgeList(featureShape, scored));
      addLabeledLogits(labeled, example, list, scores);
    }
    pending = [];
  };
  const window = heldOutLists(
    context,
    ({ time, pseudonymHash }) =>
      time >= windows.evaluation || isHeldOut(pseudonymHash, settings.gate.holdoutShare),
    settings.maxEvaluationLists,
    reading,
  );
  for await (const each of window) {
    pending.push(each);
    if (pending.length >= listsPerCall) await flush();
  }
  if (pending.length > 0) await flush();
  return {
    comparison: await runWithPauses(compareListsPausable(lists, settings.gate.minSliceLists), context.pause),
    calibration: {
      engage: headCalibration(labeled.engage, calibrated.engage),
      purchase: headCalibration(labeled.purchase, calibrated.purchase),
    },
    finiteWeights: [...parameters.values()].every(({ data }) => data.every(Number.isFinite)),
  };
}

/** Returns the serving model's scores of the lists, computed by the runtime that serves. */
async function servedScores(
  { env, application }: StepContext,
  sha256: string,
  lists: readonly HeldOutList[],
): Promise<Float32Array[]> {
  const packs = lists.map(({ list }) =>
    packFeatures(
      featureShape,
      list.batch,
      Array.from({ length: list.batch.count }, (_, i) => i),
    ),
  );
  const scored = unwrap(
    await env.RECOMMENDATION.scoreLists(application, sha256, packs),
    "the recommendation service",
  );
  return scored.map((values) => Float32Array.from(values));
}

/**
 * Returns the calibration error before and after the scaling. The logits are scaled already: `before` inverts the
 * scaling.
 */
function headCalibration(rows: readonly LabeledLogit[], { slope, offset }: PlattScaling): HeadCalibration {
  const figures = calibrationFigures(rows);
  return {
    before: figures && calibrationError(rows, { slope: 1 / slope, offset: -offset / slope }),
    after: figures?.error ?? null,
    figures,
  };
}
