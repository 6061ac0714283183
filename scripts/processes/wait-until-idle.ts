import { setTimeout as sleep } from "node:timers/promises";

/** Work counts as done when less than `share` of a processor core is used for `seconds`. */
const idle = { share: 0.1, seconds: 2 };

/**
 * Waits until `usedSeconds`, the processor time of a process or of several, hardly grows any more; at most `maxSeconds`.
 * Returns whether it does not; true where the processor time is not a number, as on systems that do not tell it.
 */
export async function waitUntilIdle(usedSeconds: () => number, maxSeconds: number): Promise<boolean> {
  const deadline = Date.now() + maxSeconds * 1000;
  for (let before = usedSeconds(); Date.now() < deadline; ) {
    await sleep(idle.seconds * 1000);
    const now = usedSeconds();
    if (!(now - before > idle.share * idle.seconds)) return true;
    before = now;
  }
  return false;
}
