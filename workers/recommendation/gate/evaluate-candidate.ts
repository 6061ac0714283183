import { hash53 } from "../../../model/columns/hash.ts";
import type { Examination } from "../../../model/examination/examination.ts";
import { fitExamination } from "../../../model/examination/fit-examination.ts";
import { PositionCells } from "../../../model/examination/position-cells.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { finalScores } from "../../../model/pipeline/final-scores.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { calibrationFigures } from "../../../model/recalibrate/calibration.ts";
import { compareLists, type JudgedList, judgeList } from "../../../model/recalibrate/compare.ts";
import {
  encodeSummaries,
  isHeldOut,
  logStatistics,
  type WindowStarts,
  windowStarts,
} from "../../../model/recalibrate/example-summary.ts";
import { evaluateGate, type GateConfiguration, type GateResult } from "../../../model/recalibrate/gate.ts";
import { addLabeledLogits, type LabeledHeads } from "../../../model/recalibrate/labeled-logits.ts";
import { measureLatency } from "../../../model/recalibrate/latency.ts";
import {
  type Corrections,
  isEngagement,
  type LoggedExample,
  type OutcomeReading,
  trainingListOf,
} from "../../../model/recalibrate/logged-examples.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import { timeModel } from "./model-timer.ts";
import { type LogReadLimits, readNewestExamples } from "./newest-examples.ts";

/** Part of the training log that an evaluation reads: a few seconds of CPU time. */
const readLimits: LogReadLimits = {
  maxDays: 30,
  maxObjects: 400,
  maxBytes: 16_000_000,
  maxExamples: 4000,
};
/** Share of the examples, the newest ones, that the evaluation uses. */
const evaluationShare = 0.5;

/** The models that the gate compares. */
export interface GateModels {
  candidate: Ranker;
  /** Size of the candidate's file. */
  bytes: number;
  serving: Ranker;
}

/** Returns how often users look at positions, by the examples. */
function examinationOf(examples: readonly LoggedExample[]): Examination {
  const cells = new PositionCells();
  for (const example of examples) cells.add(example);
  return fitExamination(cells);
}

/**
 * Returns the examples that judge a model which was trained elsewhere: those of users who are held out, since it may know all
 * others; else the newest ones.
 */
function judgingExamples(
  examples: readonly LoggedExample[],
  windows: WindowStarts,
  corrections: Corrections,
  { holdoutShare, minLists }: GateConfiguration,
): { judging: LoggedExample[]; judgedBy: string } {
  const heldOut = examples.filter(({ pseudonym }) => isHeldOut(hash53(pseudonym), holdoutShare));
  const isEngaged = ({ id, rows }: LoggedExample): boolean =>
    rows.some(({ product, outcome }) => isEngagement(corrections.outcomeOf(id, product, outcome)));
  if (heldOut.filter(isEngaged).length >= minLists)
    return { judging: heldOut, judgedBy: "of users who are held out" };
  return {
    judging: examples.filter(({ time }) => time >= windows.evaluation),
    judgedBy: "in the newest window, since users who are held out have too few",
  };
}

/**
 * Evaluates an uploaded model by the same gate as recalibrated models: by outcomes in the training log, of users who are
 * held out or the newest ones, against the serving model and simple baselines. `now` is in seconds since the Unix epoch.
 */
export async function evaluateCandidate(
  env: Pick<RecommendationEnv, "TRAINING_LOG" | "USER" | "DB">,
  application: string,
  { candidate, bytes, serving }: GateModels,
  configuration: GateConfiguration,
  now: number,
): Promise<GateResult> {
  const { examples, corrections, damaged } = await readNewestExamples(
    env,
    application,
    featureShape,
    readLimits,
    now,
  );
  const summaries = encodeSummaries(examples, 0);
  const max = Number.POSITIVE_INFINITY;
  const windows = windowStarts(summaries, { share: 0, max }, { share: evaluationShare, max });
  const reading: OutcomeReading = { unshownWeight: 1, examination: examinationOf(examples) };
  const { judging, judgedBy } = judgingExamples(examples, windows, corrections, configuration);
  const lists: JudgedList[] = [];
  const labeled: LabeledHeads = { engage: [], purchase: [] };
  let finite = true;
  for (const example of judging) {
    const list = trainingListOf(featureShape, example, corrections, reading);
    if (list === null) continue;
    const scores = await candidate.score(list.batch);
    const servingScores = finalScores(await serving.score(list.batch));
    await yieldToEventLoop();
    const candidateScores = finalScores(scores);
    finite &&= candidateScores.every(Number.isFinite);
    const scored = { example, list, candidate: candidateScores, serving: servingScores };
    lists.push(judgeList(featureShape, scored));
    addLabeledLogits(labeled, example, list, scores);
  }
  const waitForDatabase = () => env.DB.prepare("SELECT 1").run();
  return evaluateGate(
    {
      data: logStatistics(summaries, windows, damaged),
      judgedBy,
      comparison: compareLists(lists, configuration.minSliceLists),
      calibration: {
        engage: calibrationFigures(labeled.engage),
        purchase: calibrationFigures(labeled.purchase),
      },
      latency: await measureLatency(
        await timeModel(candidate, waitForDatabase),
        await timeModel(serving, waitForDatabase),
        configuration,
      ),
      golden: null,
      bytes,
      finiteWeights: finite,
    },
    configuration,
  );
}
