import type { DataFacts } from "../../../model/recalibrate/compare.ts";
import { type GateResult, gate } from "../../../model/recalibrate/gate.ts";
import type { Evaluated } from "./evaluate.ts";
import type { StepContext } from "./step.ts";

/** Runs of a model that are timed, and how often: the quickest counts. */
const runs = 20;
const rounds = 3;

/** Asks whether the candidate may serve. */
export async function decide(
  context: StepContext,
  data: DataFacts,
  { comparison, calibration, finiteWeights }: Evaluated,
): Promise<GateResult> {
  const { bench, settings } = context;
  const candidate = await timed(context, "candidate");
  const parent = await timed(context, "parent");
  const { bytes } = await bench.model("candidate");
  return gate(
    {
      data,
      comparison,
      calibration: { engage: calibration.engage.after, purchase: calibration.purchase.after },
      latency: { candidateMs: candidate.ms, servingMs: parent.ms },
      golden: candidate.refusal,
      bytes: bytes.byteLength,
      finiteWeights,
    },
    settings.gate,
  );
}

/**
 * How long a model takes for 500 candidates, by the runtime that serves. Measured from outside, since clocks stand still
 * while a Worker computes: what one run less takes.
 */
async function timed(
  { env, application, bench }: StepContext,
  name: "parent" | "candidate",
): Promise<{ ms: number; refusal: string | null }> {
  const { manifest, bytes } = await bench.model(name);
  const lap = async (count: number): Promise<{ ms: number; refusal: string | null }> => {
    const started = Date.now();
    const tried = await env.RECOMMENDATION.tryModel(application, manifest, bytes.buffer, count);
    return { ms: Date.now() - started, refusal: tried.ok ? null : tried.error.detail };
  };
  const first = await lap(1);
  if (first.refusal !== null) return { ms: Number.MAX_VALUE, refusal: first.refusal };
  let ms = Number.MAX_VALUE;
  for (let round = 0; round < rounds; round++) {
    const one = await lap(1);
    const many = await lap(1 + runs);
    ms = Math.min(ms, Math.max(0, many.ms - one.ms) / runs);
  }
  return { ms, refusal: null };
}
