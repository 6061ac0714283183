import { waitUntilIdle as untilIdle } from "../../scripts/processes/wait-until-idle.ts";
import { treeUsage } from "./process-tree.ts";

const maxSeconds = 180;

/**
 * Waits until a process and its descendants are idle, so that no figure contains background work: overdue alarms of all
 * users after a start with an old state, or the publishing of cells after an import. Calls `onTimeout` after three
 * minutes.
 */
export async function waitUntilIdle(root: number, onTimeout: (line: string) => void): Promise<void> {
  if (!(await untilIdle(() => treeUsage(root).processorSeconds, maxSeconds)))
    onTimeout(`still busy after ${maxSeconds} s, so the figures include background work`);
}
