import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { listDescendants } from "../../scripts/processes/list-processes.ts";

/** Returns the resident memory of a process in MB; NaN if /proc does not have it. */
export function residentMegabytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

const trackedChildren = new Set<ChildProcess>();

/** Registers a child process that {@link endAllProcesses} must end. */
export function trackChild(child: ChildProcess): void {
  trackedChildren.add(child);
  child.once("exit", () => trackedChildren.delete(child));
}

/** Time that a process has to end after SIGINT before it is killed. */
const endTimeoutMs = 8000;

/**
 * Ends a child process that was registered by {@link trackChild}, and its descendants: sends SIGINT, waits, then kills
 * the rest.
 */
export async function endProcess(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || !trackedChildren.has(child)) return;
  const descendants = listDescendants(pid).map((each) => each.pid);
  child.kill("SIGINT");
  for (const deadline = Date.now() + endTimeoutMs; trackedChildren.has(child) && Date.now() < deadline; )
    await sleep(50);
  child.kill("SIGKILL");
  for (const each of descendants)
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // The process has already ended.
    }
  trackedChildren.delete(child);
}

/** Ends all registered child processes. */
export async function endAllProcesses(): Promise<void> {
  await Promise.all([...trackedChildren].map(endProcess));
}
