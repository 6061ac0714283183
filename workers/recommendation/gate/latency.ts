import { featureShape } from "../../../model/features/compute.ts";
import { randomBatch } from "../../../model/onnx/manifest.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { maxCandidates } from "../../../model/pipeline/recommend.ts";
import type { Timed } from "../../../model/recalibrate/latency.ts";

/** Runs of a model that are timed at once. */
const runs = 15;

/**
 * Times a model on as many candidates as serving has. Clocks stand still while a Worker computes and go on where it waits for
 * something: `touch` is such a wait, which surrounds the runs. The first run, which may prepare things, is not timed.
 */
export async function stopwatch(ranker: Ranker, touch: () => Promise<unknown>): Promise<Timed> {
  const batch = randomBatch(featureShape, maxCandidates, 1);
  const lap = async (count: number): Promise<number> => {
    await touch();
    const started = Date.now();
    for (let run = 0; run < count; run++) await ranker.score(batch);
    await touch();
    return Date.now() - started;
  };
  await lap(1);
  return { runs, none: () => lap(0), many: () => lap(runs) };
}
