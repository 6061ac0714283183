import type { DataFacts } from "../../../model/recalibrate/compare.ts";
import { type GateResult, gate } from "../../../model/recalibrate/gate.ts";
import { latencyOf, type Timed } from "../../../model/recalibrate/latency.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Evaluated } from "./evaluate.ts";
import type { StepContext } from "./step.ts";

/** Runs of a model that are timed at once. */
const runs = 20;

/** Asks whether the candidate may serve. */
export async function decide(
  context: StepContext,
  data: DataFacts,
  { comparison, calibration, finiteWeights }: Evaluated,
): Promise<GateResult> {
  const { bench, settings } = context;
  const candidate = await stopwatch(context, "candidate");
  const golden = candidate.refusal;
  const latency =
    golden === null
      ? await latencyOf(candidate, await stopwatch(context, "parent"), settings.gate)
      : { candidateMs: Number.MAX_VALUE, servingMs: 0 };
  const { bytes } = await bench.model("candidate");
  return gate(
    {
      data,
      comparison,
      calibration: { engage: calibration.engage.after, purchase: calibration.purchase.after },
      latency,
      golden,
      bytes: bytes.byteLength,
      finiteWeights,
    },
    settings.gate,
  );
}

/**
 * Times a model by the runtime that serves. From outside, since clocks stand still while a Worker computes: what surrounds
 * the runs is the call, with one run.
 */
async function stopwatch(
  { env, application, bench }: StepContext,
  name: "parent" | "candidate",
): Promise<Timed & { refusal: string | null }> {
  const { manifest, bytes } = await bench.model(name);
  const tried = (count: number) => env.RECOMMENDATION.tryModel(application, manifest, bytes.buffer, count);
  const lap = async (count: number): Promise<number> => {
    const started = Date.now();
    unwrap(await tried(count), "the recommendation service");
    return Date.now() - started;
  };
  // The first call opens the model.
  const first = await tried(1);
  return {
    runs,
    none: () => lap(1),
    many: () => lap(1 + runs),
    refusal: first.ok ? null : first.error.detail,
  };
}
