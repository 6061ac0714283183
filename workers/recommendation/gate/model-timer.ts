import { featureShape } from "../../../model/features/compute-features.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { maxCandidates } from "../../../model/pipeline/run-pipeline.ts";
import type { TimedModel } from "../../../model/recalibrate/latency.ts";

/** Runs of a model that are timed together, because one run is shorter than the clock's resolution. */
const runs = 15;

/**
 * Returns functions that time a model on a list of the largest size. In a Worker the clock advances only during I/O, so
 * `waitForIo` is awaited before and after the runs. The first run, which may initialize the session, is not timed.
 */
export async function timeModel(ranker: Ranker, waitForIo: () => Promise<unknown>): Promise<TimedModel> {
  const batch = randomBatch(featureShape, maxCandidates, 1);
  const timedRuns = async (count: number): Promise<number> => {
    await waitForIo();
    const started = Date.now();
    for (let run = 0; run < count; run++) await ranker.score(batch);
    await waitForIo();
    return Date.now() - started;
  };
  await timedRuns(1);
  return { runs, timeOverhead: () => timedRuns(0), timeRuns: () => timedRuns(runs) };
}
