import { type GateConfiguration, maxLatencyMs } from "./gate.ts";

/** A model that is timed by calls to its runtime. */
export interface TimedModel {
  /** Number of runs in one call of `timeRuns` beyond those of `timeOverhead`. */
  runs: number;
  /** Returns the milliseconds of a call without the `runs`. */
  timeOverhead(): Promise<number>;
  /** Returns the milliseconds of a call with the `runs`. */
  timeRuns(): Promise<number>;
}

/** Milliseconds of one run of each model. */
export interface Latency {
  candidateMs: number;
  servingMs: number;
}

/** Rounds that are always measured; further rounds follow while the candidate appears too slow. */
const minRounds = 5;
const maxRounds = 20;

/** Measures repeatedly and keeps the minimum, since other load on the machine only makes a run slower. */
function fastestRun({ runs, timeOverhead, timeRuns }: TimedModel): {
  measure(): Promise<void>;
  ms(): number;
} {
  let overheadMs = Number.POSITIVE_INFINITY;
  let runsMs = Number.POSITIVE_INFINITY;
  return {
    async measure() {
      overheadMs = Math.min(overheadMs, await timeOverhead());
      runsMs = Math.min(runsMs, await timeRuns());
    },
    ms: () => Math.max(0, runsMs - overheadMs) / runs,
  };
}

/**
 * Returns the time of one run of the candidate and of the serving model. The measurements alternate, so that other load
 * on the machine affects both. They continue for up to `maxRounds` rounds while the candidate appears too slow, since a
 * short load on the machine can make it appear slow.
 */
export async function measureLatency(
  candidate: TimedModel,
  serving: TimedModel,
  configuration: GateConfiguration,
): Promise<Latency> {
  const [candidateRun, servingRun] = [fastestRun(candidate), fastestRun(serving)];
  for (let round = 0; round < maxRounds; round++) {
    if (round >= minRounds && candidateRun.ms() <= maxLatencyMs(servingRun.ms(), configuration)) break;
    await candidateRun.measure();
    await servingRun.measure();
  }
  return { candidateMs: candidateRun.ms(), servingMs: servingRun.ms() };
}
