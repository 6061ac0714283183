import * as z from "zod";
import { rejectedByHolm } from "../statistics/holm.ts";
import { normalTail } from "../statistics/normal-tail.ts";
import type { CalibrationFigures } from "./calibration.ts";
import { baselineNames, type Comparison, type QualityDifference } from "./compare.ts";
import type { LogStatistics } from "./example-summary.ts";

/** The thresholds that a candidate must meet. */
export const gateConfiguration = z.strictObject({
  /** Whether failed checks are only reported: for tests of the roll-out. */
  forced: z.boolean().default(false),
  /**
   * Share (0 to 1) of the users from whose lists no candidate learns. Recalibrations are judged by all lists of these users,
   * beside the newest ones of the others; uploaded models by these users alone, where they have lists enough. Keep it equal
   * in `RECALIBRATION` and `ROLLOUT`.
   */
  holdoutShare: z.number().min(0).max(0.5).default(0.05),
  minExamples: z.number().int().default(300),
  minUsers: z.number().int().default(20),
  /** Lists of the evaluation window with an engagement. */
  minLists: z.number().int().default(100),
  maxDamagedShare: z.number().default(0.02),
  /** Largest share of all engagement that may come from one user. */
  maxShareOfOneUser: z.number().default(0.2),
  /** Largest share of shown products with an engagement: a higher rate is not human behavior. */
  maxEngagementRate: z.number().default(0.8),
  /** Largest factor between the engagement rates of the training and evaluation windows. */
  maxRateChange: z.number().default(4),
  /** Share of outcomes that the lower bound of the gain's interval must exceed; NDCG@10 for a raw gain. */
  minGain: z.number().default(0),
  /** Largest loss, as a share of outcomes (of NDCG@10 for a raw gain), in a slice that is surely worse. */
  maxSliceLoss: z.number().default(0.01),
  /** Probability that any slice of an equal candidate is called worse, over all slices together. */
  sliceAlpha: z.number().gt(0).lt(1).default(0.05),
  /** Lists that a slice needs to be checked. */
  minSliceLists: z.number().int().default(60),
  /** Largest expected calibration error of each head. At low rates it says nothing, so the two below are checked, too. */
  maxCalibrationError: z.number().default(0.05),
  /** Largest factor between the outcomes that a head expects and those that came, beside two standard errors of chance. */
  maxCalibrationRatio: z.number().min(1).default(1.25),
  /** Largest log loss of each head, as a share of that of the constant rate: a model must say more than the rate. */
  maxLogLossShare: z.number().gt(0).default(1),
  /**
   * Largest factor between the candidate's and the serving model's time for 500 candidates. Times below the floor
   * always pass.
   */
  maxLatencyFactor: z.number().default(1.5),
  latencyFloorMs: z.number().default(10),
  maxBytes: z.number().int().default(1_000_000),
});
export type GateConfiguration = z.infer<typeof gateConfiguration>;

/** The calibration of a head on the newest outcomes. */
type HeadEvidence = Pick<CalibrationFigures, "error"> & Partial<CalibrationFigures>;

/** The input of the gate. */
export interface GateEvidence {
  data: LogStatistics;
  /** Which lists judge, as a part of a sentence; the newest ones if absent. */
  judgedBy?: string;
  comparison: Comparison;
  /** Calibration of each head; null for a head without a positive outcome. Evaluations of the release before have the error only. */
  calibration: Record<"engage" | "purchase", HeadEvidence | null>;
  latency: { candidateMs: number; servingMs: number };
  /** Why the runtime refused the file or its golden vectors; null if the file reproduces them. */
  golden: string | null;
  bytes: number;
  finiteWeights: boolean;
}

/** The result of one check. */
export const gateCheck = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** The measured value and its limit, in one line. */
  detail: z.string(),
});
export type GateCheck = z.infer<typeof gateCheck>;

export const gateResult = z.object({
  passed: z.boolean(),
  /** The failed checks with their details; empty if all passed. */
  reasons: z.array(z.string()),
  forced: z.boolean(),
  checks: z.array(gateCheck),
});
export type GateResult = z.infer<typeof gateResult>;

const round = (value: number): string => String(Math.round(value * 10_000) / 10_000);
const describeDifference = ({ mean, interval, lists }: QualityDifference): string =>
  `${round(mean)} (${interval ? interval.map(round).join(" to ") : "unknown"}) over ${lists} lists`;
const isSignificantlyAbove = ({ interval }: QualityDifference, bound: number): boolean =>
  interval !== null && interval[0] > bound;

/**
 * Returns whether the outcomes carry a signal: the serving model ranks them significantly better than chance. After a
 * large change of behavior, the candidate alone may do so, since it has not seen these outcomes in training. The
 * serving model must not rank them significantly worse than chance, because reversed outcomes look like that.
 */
const outcomesAreMeaningful = ({ overChance, candidateOverChance }: Comparison): boolean =>
  isSignificantlyAbove(overChance, 0) ||
  (isSignificantlyAbove(candidateOverChance, 0) &&
    overChance.interval !== null &&
    overChance.interval[1] >= 0);

/** Returns the checks of the training log, which need no trained candidate. */
export function checkTrainingData(data: LogStatistics, configuration: GateConfiguration): GateCheck[] {
  const damagedShare = data.damaged / Math.max(1, data.examples + data.damaged);
  const { training, newest } = data.rate;
  const change = Math.max(training, newest) / Math.max(1e-9, Math.min(training, newest));
  const check = (name: string, passed: boolean, detail: string): GateCheck => ({ name, passed, detail });
  return [
    check(
      "examples",
      data.examples >= configuration.minExamples,
      `${data.examples} examples, at least ${configuration.minExamples}`,
    ),
    check(
      "people",
      data.people >= configuration.minUsers,
      `${data.people} users, at least ${configuration.minUsers}`,
    ),
    check(
      "whole lines",
      damagedShare <= configuration.maxDamagedShare,
      `share of damaged lines ${round(damagedShare)}, at most ${configuration.maxDamagedShare}`,
    ),
    check(
      "one person",
      data.largestShare <= configuration.maxShareOfOneUser,
      `largest share of engagement from one user ${round(data.largestShare)}, at most ${configuration.maxShareOfOneUser}`,
    ),
    check(
      "engagement",
      Math.max(training, newest) <= configuration.maxEngagementRate &&
        Math.min(training, newest) > 0 &&
        change <= configuration.maxRateChange,
      `engagement rate ${round(training)} in training, ${round(newest)} in the newest window; above 0, at most ${configuration.maxEngagementRate}, and at most a factor ${configuration.maxRateChange} apart`,
    ),
  ];
}

/**
 * Returns the largest time in ms that a candidate model may take for 500 candidates, given the serving model's time.
 */
export const maxLatencyMs = (
  servingMs: number,
  { latencyFloorMs, maxLatencyFactor }: GateConfiguration,
): number => Math.max(latencyFloorMs, maxLatencyFactor * servingMs);

/** Width of a 95% interval in standard errors. */
const intervalWidth = 2 * 1.959964;

/** Returns the p-value of the hypothesis that nothing is lost, from a difference with its 95% interval. */
function lossPValue({ mean, interval }: QualityDifference): number {
  if (interval === null) return 1;
  const width = interval[1] - interval[0];
  if (width === 0) return mean < 0 ? 0 : 1;
  return normalTail((-mean * intervalWidth) / width);
}

/** Returns the slices that lose more than is allowed, and surely: many slices are tested at once. */
function worseSlices(
  { slices }: Comparison,
  { maxSliceLoss, sliceAlpha }: GateConfiguration,
): [name: string, slice: QualityDifference][] {
  const all = Object.entries(slices);
  const isSure = rejectedByHolm(
    all.map(([, slice]) => lossPValue(slice)),
    sliceAlpha,
  );
  return all.filter(([, { mean }], i) => mean < -maxSliceLoss && isSure[i]);
}

/** Returns the largest factor by which expected and observed outcomes may differ: by chance, few outcomes differ by more. */
const maxRatio = (positives: number, { maxCalibrationRatio }: GateConfiguration): number =>
  maxCalibrationRatio * Math.exp(2 / Math.sqrt(Math.max(1, positives)));

function isCalibrated(
  { error, ratio = 1, logLoss = 0, baseLogLoss = 0, positives = 1 }: HeadEvidence,
  configuration: GateConfiguration,
): boolean {
  return (
    error <= configuration.maxCalibrationError &&
    Math.max(ratio, 1 / ratio) <= maxRatio(positives, configuration) &&
    logLoss <= configuration.maxLogLossShare * baseLogLoss
  );
}

function describeCalibration(
  { error, ratio, logLoss, baseLogLoss, positives = 1 }: HeadEvidence,
  configuration: GateConfiguration,
): string {
  const parts = [`expected calibration error ${round(error)}, at most ${configuration.maxCalibrationError}`];
  if (ratio !== undefined)
    parts.push(
      `${round(ratio)} outcomes expected for each of ${positives} that came, at most a factor ${round(maxRatio(positives, configuration))} apart`,
    );
  if (logLoss !== undefined && baseLogLoss !== undefined)
    parts.push(
      `log loss ${round(logLoss)}, at most ${configuration.maxLogLossShare} times that of the rate, ${round(baseLogLoss)}`,
    );
  return parts.join("; ");
}

/** Returns the gain and how it was estimated, in one line. */
function describeGain({ gain, method = "raw", effectiveOutcomes }: Comparison): string {
  const what =
    method === "regression"
      ? "share of outcomes above the serving model, by a regression on both models' scores with examined positions"
      : "NDCG@10 of shown products above the serving model, by outcomes as they came";
  const outcomes =
    effectiveOutcomes === undefined ? "" : `, ${Math.round(effectiveOutcomes)} effective outcomes`;
  return `${what} ${describeDifference(gain)}${outcomes}`;
}

/** Returns whether the candidate may be registered, with all checks and the reasons for a refusal. */
export function evaluateGate(evidence: GateEvidence, configuration: GateConfiguration): GateResult {
  const { comparison, calibration, latency } = evidence;
  const check = (name: string, passed: boolean, detail: string): GateCheck => ({ name, passed, detail });
  const worse = worseSlices(comparison, configuration);
  const maxMs = maxLatencyMs(latency.servingMs, configuration);
  const checks: GateCheck[] = [
    ...checkTrainingData(evidence.data, configuration),
    check(
      "newest outcomes",
      comparison.lists >= configuration.minLists,
      `${comparison.lists} lists with an engagement ${evidence.judgedBy ?? "in the newest window"}, at least ${configuration.minLists}`,
    ),
    check(
      "meaning",
      outcomesAreMeaningful(comparison),
      `NDCG@10 above a random order: serving model ${describeDifference(comparison.overChance)}, candidate ${describeDifference(comparison.candidateOverChance)}; one must be significantly above 0, and the serving model not significantly below`,
    ),
    check(
      "gain",
      isSignificantlyAbove(comparison.gain, configuration.minGain),
      `${describeGain(comparison)}, lower bound above ${configuration.minGain}`,
    ),
    ...baselineNames.map((baseline) =>
      check(
        `better than ${baseline}`,
        comparison.quality.candidate > comparison.quality[baseline],
        `NDCG@10 ${round(comparison.quality.candidate)} against ${round(comparison.quality[baseline])}`,
      ),
    ),
    check(
      "slices",
      worse.length === 0,
      worse.length === 0
        ? `none of ${Object.keys(comparison.slices).length} slices is worse by more than ${configuration.maxSliceLoss}`
        : worse.map(([name, slice]) => `${name}: ${describeDifference(slice)}`).join("; "),
    ),
    ...(["engage", "purchase"] as const).map((head) => {
      const figures = calibration[head];
      return check(
        `calibration of ${head}`,
        figures === null || isCalibrated(figures, configuration),
        figures === null
          ? "no positive outcome to measure it by"
          : describeCalibration(figures, configuration),
      );
    }),
    check(
      "latency",
      latency.candidateMs <= maxMs,
      `${round(latency.candidateMs)} ms for 500 candidates, at most ${round(maxMs)}`,
    ),
    check("golden vectors", evidence.golden === null, evidence.golden ?? "reproduced"),
    check("weights", evidence.finiteWeights, evidence.finiteWeights ? "finite" : "not finite"),
    check(
      "size",
      evidence.bytes <= configuration.maxBytes,
      `${evidence.bytes} bytes, at most ${configuration.maxBytes}`,
    ),
  ];
  const reasons = checks.flatMap(({ name, passed, detail }) => (passed ? [] : [`${name}: ${detail}`]));
  return {
    passed: configuration.forced || reasons.length === 0,
    reasons,
    forced: configuration.forced,
    checks,
  };
}
