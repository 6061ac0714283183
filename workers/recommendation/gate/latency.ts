import { featureShape } from "../../../model/features/compute.ts";
import { randomBatch } from "../../../model/onnx/manifest.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { maxCandidates } from "../../../model/pipeline/recommend.ts";

/** Runs of a model that are timed, and how often: the quickest counts. */
const runs = 15;
const rounds = 3;

/**
 * Milliseconds that a model takes for as many candidates as serving has. Clocks stand still while a Worker computes and go
 * on where it waits for something: `touch` is such a wait, whose own time is taken off.
 */
export async function latencyOf(ranker: Ranker, touch: () => Promise<unknown>): Promise<number> {
  const batch = randomBatch(featureShape, maxCandidates, 1);
  const lap = async (count: number): Promise<number> => {
    await touch();
    const started = Date.now();
    for (let run = 0; run < count; run++) await ranker.score(batch);
    await touch();
    return Date.now() - started;
  };
  await lap(1);
  let ms = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const nothing = await lap(0);
    ms = Math.min(ms, Math.max(0, (await lap(runs)) - nothing) / runs);
  }
  return ms;
}
