import { type Statistics, summarizeTimes } from "../figure.ts";
import { type ClosedLoop, runClosedLoop } from "./closed-loop.ts";
import { treeUsage } from "./process-tree.ts";
import { waitForWorkAfter } from "./work-after.ts";

/** What one load did to one server. A value is NaN where there was no good answer. */
export interface LoadFigures {
  /** Milliseconds of the good answers. */
  times: Statistics;
  /** Good answers a second. */
  rate: number;
  /**
   * Processor milliseconds of all processes of the server, a good answer, with the work that it does after its answers;
   * NaN if they are not known.
   */
  processorMs: number;
  /** Seconds that the server worked after its last answer; NaN if its processes are not known. */
  workAfter: number;
  failed: number;
  failures: string[];
}

/**
 * Runs a load and measures it. Then waits until the server has done the work that it left for later, at most
 * `maxWorkAfter`: it belongs to this load, and must not slow the next one down. `root` is the server's first process;
 * null if it is not known.
 */
export async function measureLoad(
  load: ClosedLoop,
  root: number | null,
  maxWorkAfter: number,
): Promise<LoadFigures> {
  const processorSeconds = (): number => (root === null ? Number.NaN : treeUsage(root).processorSeconds);
  const before = processorSeconds();
  const { times, seconds, failed, failures } = await runClosedLoop(load);
  const workAfter = root === null ? Number.NaN : await waitForWorkAfter(root, maxWorkAfter);
  const spent = processorSeconds() - before;
  return {
    times: summarizeTimes(times),
    rate: times.length === 0 ? 0 : times.length / seconds,
    processorMs: times.length === 0 ? Number.NaN : (1000 * spent) / times.length,
    workAfter,
    failed,
    failures,
  };
}
