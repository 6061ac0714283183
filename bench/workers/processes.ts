import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A running process. */
interface ProcessInfo {
  pid: number;
  parent: number;
  name: string;
}

/** Returns all processes of the machine from Linux's /proc; an empty list on other systems. */
function listProcesses(): ProcessInfo[] {
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((pid) => {
    try {
      // The line is `pid (name) state parent ...`; the name may contain spaces and parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const nameEnd = stat.lastIndexOf(")");
      const parent = Number(stat.slice(nameEnd + 2).split(" ")[1]);
      return [{ pid: Number(pid), parent, name: stat.slice(stat.indexOf("(") + 1, nameEnd) }];
    } catch {
      return [];
    }
  });
}

/** Returns all descendants of a process. */
export function listDescendants(pid: number): { pid: number; name: string }[] {
  const all = listProcesses();
  const found: ProcessInfo[] = [];
  const parents = new Set([pid]);
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    for (const each of all)
      if (parents.has(each.parent) && !parents.has(each.pid)) {
        parents.add(each.pid);
        found.push(each);
      }
  }
  return found;
}

/** Value of the state column of a listening socket in /proc/net/tcp, and the numbers of the used columns. */
const listening = "0A";
const column = { local: 1, state: 3, inode: 9 };

/** Returns the TCP ports on which a process listens, from Linux's /proc; an empty list on other systems. */
export function listeningPorts(pid: number): number[] {
  const sockets = new Map<string, number>();
  const owned = new Set<string>();
  try {
    for (const line of readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1)) {
      const cells = line.trim().split(/\s+/);
      if (cells[column.state] === listening)
        sockets.set(cells[column.inode], Number.parseInt(cells[column.local].split(":")[1], 16));
    }
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) owned.add(inode);
    }
  } catch {
    return [];
  }
  return [...sockets].flatMap(([inode, port]) => (owned.has(inode) ? [port] : []));
}

/** Returns the resident memory of a process in MB; NaN if /proc does not have it. */
export function residentMegabytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

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
