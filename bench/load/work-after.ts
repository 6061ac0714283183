import { setTimeout as sleep } from "node:timers/promises";
import { treeUsage } from "./process-tree.ts";

/**
 * A server has done all work of a load when it uses less than `share` of a core for `seconds`: longer than it may gather
 * messages for before it handles them.
 */
const quiet = { share: 0.1, seconds: 3 };
const sampleMs = 250;

/** Processor time that was used by a moment; both in seconds. */
export interface UsageSample {
  at: number;
  used: number;
}

/**
 * Returns when the work ended, in seconds: the start of the time without work that the newest sample ends. Null while
 * there is no such time. Samples are in the order of time.
 */
export function workEnd(samples: readonly UsageSample[]): number | null {
  const newest = samples.at(-1);
  if (newest === undefined) return null;
  const before = samples.findLast(({ at }) => at <= newest.at - quiet.seconds);
  if (before === undefined) return null;
  return newest.used - before.used > quiet.share * (newest.at - before.at) ? null : before.at;
}

/**
 * Waits until a server has done the work that it left for after its answers, at most `maxSeconds`. Returns the seconds
 * that it worked; `maxSeconds` if it still does.
 */
export async function waitForWorkAfter(root: number, maxSeconds: number): Promise<number> {
  const started = performance.now();
  const samples: UsageSample[] = [];
  for (;;) {
    const at = samples.length === 0 ? 0 : (performance.now() - started) / 1000;
    samples.push({ at, used: treeUsage(root).processorSeconds });
    const end = workEnd(samples);
    if (end !== null) return end;
    if (at >= maxSeconds) return maxSeconds;
    await sleep(sampleMs);
  }
}
