import { packFeatures } from "../../../model/features/packed.ts";
import { gradually } from "../../../model/gradual.ts";
import { parametersIn } from "../../../model/onnx/read.ts";
import { finalScores } from "../../../model/pipeline/recommend.ts";
import { calibrationError, type Judged, type Platt } from "../../../model/recalibrate/calibration.ts";
import {
  type Comparison,
  compareGradually,
  type ListQuality,
  qualityOf,
} from "../../../model/recalibrate/compare.ts";
import type { Windows } from "../../../model/recalibrate/summary.ts";
import { tapeScorer } from "../../../model/train/train.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { shape } from "../artifacts.ts";
import type { Calibrated } from "./calibrate.ts";
import { type HeldBack, heldBack } from "./held-back.ts";
import type { StepContext } from "./step.ts";

/** Lists that are scored by one call. */
const listsPerCall = 64;

/** Expected calibration error of a head before and after its scaling; null where nothing came of it. */
export interface HeadCalibration {
  before: number | null;
  after: number | null;
}

/** What the newest outcomes say of the candidate. */
export interface Evaluated {
  comparison: Comparison;
  calibration: { engage: HeadCalibration; purchase: HeadCalibration };
  finiteWeights: boolean;
}

/** Judges the candidate by the newest window, against what serves and against plain orders. */
export async function evaluate(
  context: StepContext,
  calibrated: Calibrated,
  windows: Windows,
): Promise<Evaluated> {
  const { bench, settings } = context;
  const { bytes } = await bench.model("candidate");
  const parameters = parametersIn(shape, bytes);
  if (parameters === null) throw new Error("the candidate's file holds another network");
  const score = tapeScorer(shape, parameters);
  const serving = (await bench.model("parent")).manifest.sha256;
  const lists: ListQuality[] = [];
  const judged = { engage: [] as Judged[], purchase: [] as Judged[] };
  let waiting: HeldBack[] = [];
  const flush = async (): Promise<void> => {
    const served = await servedScores(context, serving, waiting);
    for (const [i, { example, list }] of waiting.entries()) {
      const scores = score(list.batch);
      await context.pause();
      const compared = { example, list, candidate: finalScores(scores), serving: served[i] };
      const quality = qualityOf(shape, compared);
      if (quality !== null) lists.push(quality);
      example.rows.forEach(({ position }, row) => {
        if (position === 0) return;
        for (const head of ["engage", "purchase"] as const)
          judged[head].push({ logit: scores[head][row], outcome: list[head][row], weight: list.weight });
      });
    }
    waiting = [];
  };
  const window = heldBack(context, windows.evaluation, Number.POSITIVE_INFINITY, settings.maxEvaluationLists);
  for await (const each of window) {
    waiting.push(each);
    if (waiting.length >= listsPerCall) await flush();
  }
  if (waiting.length > 0) await flush();
  return {
    comparison: await gradually(compareGradually(lists, settings.gate.minSliceLists), context.pause),
    calibration: {
      engage: headCalibration(judged.engage, calibrated.engage),
      purchase: headCalibration(judged.purchase, calibrated.purchase),
    },
    finiteWeights: [...parameters.values()].every(({ data }) => data.every(Number.isFinite)),
  };
}

/** What the serving model says of lists, by the very runtime that serves. */
async function servedScores(
  { env, application }: StepContext,
  sha256: string,
  lists: readonly HeldBack[],
): Promise<Float32Array[]> {
  const packs = lists.map(({ list }) =>
    packFeatures(
      shape,
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

/** The file is calibrated already: what it said before is had by undoing the scaling. */
function headCalibration(rows: readonly Judged[], { slope, offset }: Platt): HeadCalibration {
  if (!rows.some(({ outcome }) => outcome > 0)) return { before: null, after: null };
  return {
    before: calibrationError(rows, { slope: 1 / slope, offset: -offset / slope }),
    after: calibrationError(rows, { slope: 1, offset: 0 }),
  };
}
