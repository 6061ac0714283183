import { z } from "zod";
import { baselines, type Comparison, type DataFacts, type Difference } from "./compare.ts";

/** What a candidate must meet. */
export const gateConfiguration = z.object({
  /** Whether checks only report: for trials of the roll-out itself. */
  forced: z.boolean().default(false),
  minExamples: z.number().int().default(300),
  minPeople: z.number().int().default(20),
  /** Lists of the newest window of which something was chosen. */
  minLists: z.number().int().default(100),
  maxDamagedShare: z.number().default(0.02),
  /** Of all engagement, what one person may have. */
  maxOfOnePerson: z.number().default(0.2),
  /** Share of shown products that are engaged with: more than this is no person's doing. */
  maxEngagementRate: z.number().default(0.8),
  /** ... and how much it may differ between training and the newest window, as a factor. */
  maxRateChange: z.number().default(4),
  /** NDCG at 10 that the lower end of the gain's interval must exceed. */
  minGain: z.number().default(0),
  /** How much worse than what serves a slice may be, where its interval says that it is worse. */
  maxSliceLoss: z.number().default(0.01),
  /** Lists that a slice must have to be looked at. */
  minSliceLists: z.number().int().default(60),
  /** Expected calibration error of each head, at most. */
  maxCalibrationError: z.number().default(0.05),
  /** Milliseconds for 500 candidates against the serving model's, as a factor; below the floor in ms nobody minds. */
  maxLatencyFactor: z.number().default(1.5),
  latencyFloorMs: z.number().default(10),
  maxBytes: z.number().int().default(1_000_000),
});
export type GateConfiguration = z.infer<typeof gateConfiguration>;

/** All that the gate looks at. */
export interface Evidence {
  data: DataFacts;
  comparison: Comparison;
  /** Expected calibration error of the heads; null for a head that nothing came of. */
  calibration: { engage: number | null; purchase: number | null };
  latency: { candidateMs: number; servingMs: number };
  /** Why the file was refused by the runtime or does not reproduce its golden vectors; null where it does. */
  golden: string | null;
  bytes: number;
  finiteWeights: boolean;
}

/** One question and its answer. */
export const gateCheck = z.object({
  name: z.string(),
  passed: z.boolean(),
  /** What was found and what is asked, in one line. */
  detail: z.string(),
});
export type GateCheck = z.infer<typeof gateCheck>;

export const gateResult = z.object({
  passed: z.boolean(),
  /** Why not; empty where it passed. */
  reasons: z.array(z.string()),
  forced: z.boolean(),
  checks: z.array(gateCheck),
});
export type GateResult = z.infer<typeof gateResult>;

const round = (value: number): string => String(Math.round(value * 10_000) / 10_000);
const told = ({ mean, interval, lists }: Difference): string =>
  `${round(mean)} (${interval ? interval.map(round).join(" to ") : "unknown"}) over ${lists} lists`;
const surelyAbove = ({ interval }: Difference, bound: number): boolean =>
  interval !== null && interval[0] > bound;

/**
 * Whether outcomes are people's: they agree with what serves. Where the world has changed so much that what serves knows
 * nothing of it, they may agree with the candidate alone, which has not seen them; but never against what serves, since
 * outcomes that were turned around look like that.
 */
const meansSomething = ({ overChance, candidateOverChance }: Comparison): boolean =>
  surelyAbove(overChance, 0) ||
  (surelyAbove(candidateOverChance, 0) && overChance.interval !== null && overChance.interval[1] >= 0);

/** The checks of what was learnt from: they can be made before any training. */
export function checkData(data: DataFacts, configuration: GateConfiguration): GateCheck[] {
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
      data.people >= configuration.minPeople,
      `${data.people} people, at least ${configuration.minPeople}`,
    ),
    check(
      "whole lines",
      damagedShare <= configuration.maxDamagedShare,
      `${round(damagedShare)} of the lines are damaged, at most ${configuration.maxDamagedShare}`,
    ),
    check(
      "one person",
      data.largestShare <= configuration.maxOfOnePerson,
      `${round(data.largestShare)} of all engagement is one person's, at most ${configuration.maxOfOnePerson}`,
    ),
    check(
      "engagement",
      Math.max(training, newest) <= configuration.maxEngagementRate &&
        Math.min(training, newest) > 0 &&
        change <= configuration.maxRateChange,
      `${round(training)} of what was shown was chosen, ${round(newest)} in the newest window: at most ${configuration.maxEngagementRate}, at most ${configuration.maxRateChange} times apart`,
    ),
  ];
}

/** Milliseconds that a candidate may take for 500 candidates, where what serves takes so many. */
export const maxLatencyMs = (
  servingMs: number,
  { latencyFloorMs, maxLatencyFactor }: GateConfiguration,
): number => Math.max(latencyFloorMs, maxLatencyFactor * servingMs);

/** Decides on a candidate, and says why. */
export function gate(evidence: Evidence, configuration: GateConfiguration): GateResult {
  const { comparison, calibration, latency } = evidence;
  const check = (name: string, passed: boolean, detail: string): GateCheck => ({ name, passed, detail });
  const worse = Object.entries(comparison.slices).filter(
    ([, slice]) =>
      slice.mean < -configuration.maxSliceLoss && slice.interval !== null && slice.interval[1] < 0,
  );
  const maxMs = maxLatencyMs(latency.servingMs, configuration);
  const checks: GateCheck[] = [
    ...checkData(evidence.data, configuration),
    check(
      "newest outcomes",
      comparison.lists >= configuration.minLists,
      `${comparison.lists} lists of the newest window, at least ${configuration.minLists}`,
    ),
    check(
      "meaning",
      meansSomething(comparison),
      `what serves is better than chance by ${told(comparison.overChance)}, the candidate by ${told(comparison.candidateOverChance)}: else the outcomes mean nothing`,
    ),
    check(
      "gain",
      surelyAbove(comparison.gain, configuration.minGain),
      `NDCG@10 ${told(comparison.gain)}, the lower end above ${configuration.minGain}`,
    ),
    ...baselines.map((baseline) =>
      check(
        `better than ${baseline}`,
        comparison.quality.candidate > comparison.quality[baseline],
        `${round(comparison.quality.candidate)} against ${round(comparison.quality[baseline])}`,
      ),
    ),
    check(
      "slices",
      worse.length === 0,
      worse.length === 0
        ? `none of ${Object.keys(comparison.slices).length} is worse by more than ${configuration.maxSliceLoss}`
        : worse.map(([name, slice]) => `${name}: ${told(slice)}`).join("; "),
    ),
    ...(["engage", "purchase"] as const).map((head) => {
      const error = calibration[head];
      return check(
        `calibration of ${head}`,
        error === null || error <= configuration.maxCalibrationError,
        error === null
          ? "nothing to judge it by"
          : `${round(error)}, at most ${configuration.maxCalibrationError}`,
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
