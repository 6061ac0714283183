import { setTimeout as sleep } from "node:timers/promises";
import { treeUsage } from "./process-tree.ts";

/** A server counts as idle when it uses less than `share` of a processor for `seconds`. Waits at most `maxSeconds`. */
const idle = { share: 0.1, seconds: 2, maxSeconds: 180 };

/**
 * Waits until a process and its descendants are idle, so that no figure contains background work: overdue alarms of all
 * users after a start with an old state, or the publishing of cells after an import. Calls `onTimeout` after three
 * minutes.
 */
export async function waitUntilIdle(root: number, onTimeout: (line: string) => void): Promise<void> {
  const deadline = Date.now() + idle.maxSeconds * 1000;
  for (let before = treeUsage(root).processorSeconds; Date.now() < deadline; ) {
    await sleep(idle.seconds * 1000);
    const now = treeUsage(root).processorSeconds;
    if (!(now - before > idle.share * idle.seconds)) return;
    before = now;
  }
  onTimeout(`still busy after ${idle.maxSeconds} s, so the figures include background work`);
}
