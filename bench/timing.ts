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

/** Rounds of a comparison, after `warmUp` rounds that do not count. */
export interface Rounds {
  warmUp: number;
  rounds: number;
}

/**
 * Returns the microseconds of processor time that each of several works takes, by round. In a round, each runs once, in an
 * order that changes. Processor time leaves out the waits for processors that other programs use.
 */
export async function processorTimesSideBySide(
  works: readonly ((round: number) => Promise<void>)[],
  { warmUp, rounds }: Rounds,
): Promise<Float64Array[]> {
  const times = works.map(() => new Float64Array(rounds));
  for (let round = -warmUp; round < rounds; round++)
    for (let i = 0; i < works.length; i++) {
      const at = (i + round + warmUp) % works.length;
      const before = process.cpuUsage();
      await works[at](round + warmUp);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times[at][round] = user + system;
    }
  return times;
}
