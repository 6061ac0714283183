import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A running process. */
interface Running {
  pid: number;
  parent: number;
  name: string;
}

/** All processes, by Linux's /proc; none elsewhere. */
function listProcesses(): Running[] {
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((pid) => {
    try {
      // `pid (name) state parent ...`, where the name may hold anything.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const nameEnd = stat.lastIndexOf(")");
      const parent = Number(stat.slice(nameEnd + 2).split(" ")[1]);
      return [{ pid: Number(pid), parent, name: stat.slice(stat.indexOf("(") + 1, nameEnd) }];
    } catch {
      return [];
    }
  });
}

/** The processes below one. */
export function listDescendants(pid: number): { pid: number; name: string }[] {
  const all = listProcesses();
  const found: Running[] = [];
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

/** State of a listening socket, and columns, in /proc/net/tcp. */
const listening = "0A";
const column = { local: 1, state: 3, inode: 9 };

/** TCP ports on which a process listens, by Linux's /proc; none elsewhere. */
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

/** Memory of a process that is in RAM now, in MB; NaN where the system does not say. */
export function residentMegabytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? Number.NaN : Number(kilobytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Ticks of a processor's time in a second, as Linux counts them for everyone, and where a process's are. */
const ticksPerSecond = 100;
const tickFields = { user: 11, system: 12 };

/** Seconds of processor time that a process has had; NaN where the system does not say. */
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

/** Remembers a process that must not outlive this one. */
export function trackChild(child: ChildProcess): void {
  trackedChildren.add(child);
  child.once("exit", () => trackedChildren.delete(child));
}

/** How long a process may take to end by itself. */
const timeoutMs = 8000;

/** Ends a process that {@link trackChild} knows, and all below it: asks, waits, and ends what is left by its own pid. */
export async function endProcess(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined || !trackedChildren.has(child)) return;
  const below = listDescendants(pid).map((each) => each.pid);
  child.kill("SIGINT");
  for (const give = Date.now() + timeoutMs; trackedChildren.has(child) && Date.now() < give; )
    await sleep(50);
  child.kill("SIGKILL");
  for (const each of below)
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It is gone, as it should be.
    }
  trackedChildren.delete(child);
}

/** Ends everything that was started. */
export async function endAllProcesses(): Promise<void> {
  await Promise.all([...trackedChildren].map(endProcess));
}
