import { type Statistics, summarizeTimes } from "./figure.ts";

/** How long to measure: `warmUp` runs that do not count, then `runs`, or fewer where `seconds` are over. */
export interface RunLimits {
  warmUp: number;
  runs: number;
  seconds: number;
}

/** Milliseconds of each run of `work`, which is given the number of the run. */
export async function timeRuns(work: (run: number) => unknown, bounds: RunLimits): Promise<Float64Array> {
  const times = new Float64Array(bounds.runs);
  const give = performance.now() + bounds.seconds * 1000;
  for (let run = 0; run < bounds.warmUp && performance.now() < give; run++) await work(run);
  let done = 0;
  while (done < bounds.runs && (done === 0 || performance.now() < give)) {
    const started = performance.now();
    const result = work(done);
    // What is not asynchronous must not be charged for a turn of the queue.
    if (result instanceof Promise) await result;
    times[done++] = performance.now() - started;
  }
  return times.subarray(0, done);
}

/** Percentiles of the milliseconds that `work` takes. */
export const measureMilliseconds = async (
  work: (run: number) => unknown,
  bounds: RunLimits,
): Promise<Statistics> => summarizeTimes(await timeRuns(work, bounds));

/** Percentiles of the microseconds that `work` takes. */
export const measureMicroseconds = async (
  work: (run: number) => unknown,
  bounds: RunLimits,
): Promise<Statistics> => summarizeTimes((await timeRuns(work, bounds)).map((ms) => ms * 1000));
