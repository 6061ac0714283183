import { readFileSync } from "node:fs";

/** Ticks per second in /proc/PID/stat (Linux's USER_HZ), and the fields of a process's ticks after its name. */
const ticksPerSecond = 100;
const tickFields = { user: 11, system: 12 };

/** Returns the processor time that a process has used, in seconds; NaN if /proc does not have it. */
export function processorSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const cells = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(cells[tickFields.user]) + Number(cells[tickFields.system])) / ticksPerSecond;
  } catch {
    return Number.NaN;
  }
}
