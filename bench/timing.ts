import { type Statistics, summarizeTimes } from "./figure.ts";

/**
 * Limits of a measurement: `warmUp` runs that do not count, then up to `runs` runs; no new run starts after `seconds`.
 */
export interface RunLimits {
  warmUp: number;
  runs: number;
  seconds: number;
}

/** Returns the milliseconds of each run of `work`, which receives the run's number. */
export async function timeRuns(work: (run: number) => unknown, limits: RunLimits): Promise<Float64Array> {
  const times = new Float64Array(limits.runs);
  const deadline = performance.now() + limits.seconds * 1000;
  for (let run = 0; run < limits.warmUp && performance.now() < deadline; run++) await work(run);
  let done = 0;
  while (done < limits.runs && (done === 0 || performance.now() < deadline)) {
    const started = performance.now();
    const result = work(done);
    // Await promises only: awaiting any other value would add a turn of the microtask queue to its time.
    if (result instanceof Promise) await result;
    times[done++] = performance.now() - started;
  }
  return times.subarray(0, done);
}

/** Returns the percentiles of the milliseconds that `work` takes. */
export const measureMilliseconds = async (
  work: (run: number) => unknown,
  limits: RunLimits,
): Promise<Statistics> => summarizeTimes(await timeRuns(work, limits));

/** Returns the percentiles of the microseconds that `work` takes. */
export const measureMicroseconds = async (
  work: (run: number) => unknown,
  limits: RunLimits,
): Promise<Statistics> => summarizeTimes((await timeRuns(work, limits)).map((ms) => ms * 1000));
