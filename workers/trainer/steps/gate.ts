import type { LogStatistics } from "../../../model/recalibrate/example-summary.ts";
import { evaluateGate, type GateEvidence, type GateResult } from "../../../model/recalibrate/gate.ts";
import { measureLatency, type TimedModel } from "../../../model/recalibrate/latency.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { EvaluationResult, HeadCalibration } from "./evaluate.ts";
import type { StepContext } from "./step.ts";

/** Model runs in one timed call. */
const timedRuns = 20;

/** Collects the remaining evidence, latency and golden vectors, and returns the gate's result for the candidate. */
export async function runGate(
  context: StepContext,
  data: LogStatistics,
  { comparison, calibration, finiteWeights }: EvaluationResult,
): Promise<GateResult> {
  const { artifacts, settings } = context;
  const candidate = await timedModel(context, "candidate");
  const golden = candidate.refusal;
  const latency =
    golden === null
      ? await measureLatency(candidate, await timedModel(context, "parent"), settings.gate)
      : { candidateMs: Number.MAX_VALUE, servingMs: 0 };
  const { bytes } = await artifacts.model("candidate");
  return evaluateGate(
    {
      data,
      judgedBy: "in the newest window or of users who are held out",
      comparison,
      calibration: { engage: figuresOf(calibration.engage), purchase: figuresOf(calibration.purchase) },
      latency,
      golden,
      bytes: bytes.byteLength,
      finiteWeights,
    },
    settings.gate,
  );
}

const figuresOf = ({ after, figures }: HeadCalibration): GateEvidence["calibration"]["engage"] =>
  figures ?? (after === null ? null : { error: after });

/**
 * Returns a model whose runs are timed in the runtime that serves. The caller measures whole RPC calls, since the clock
 * of a Worker does not advance while it computes. The overhead is a call with one run.
 */
async function timedModel(
  { env, application, artifacts }: StepContext,
  name: "parent" | "candidate",
): Promise<TimedModel & { refusal: string | null }> {
  const { manifest, bytes } = await artifacts.model(name);
  const runModel = (count: number) => env.RECOMMENDATION.tryModel(application, manifest, bytes.buffer, count);
  const timeCall = async (count: number): Promise<number> => {
    const started = Date.now();
    unwrap(await runModel(count), "the recommendation service");
    return Date.now() - started;
  };
  // The first call loads the model, and is not timed. A worker without memory for it says nothing about the model.
  const first = await runModel(1);
  if (!first.ok && first.error.code === "unavailable") unwrap(first, "the recommendation service");
  return {
    runs: timedRuns,
    timeOverhead: () => timeCall(1),
    timeRuns: () => timeCall(1 + timedRuns),
    refusal: first.ok ? null : first.error.detail,
  };
}
