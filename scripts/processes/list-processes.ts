import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A running process. */
export interface ProcessInfo {
  pid: number;
  parent: number;
  name: string;
  /** When it started, in ticks since the machine's start; empty where only `ps` is available. */
  started: string;
}

/** Cell of a process's start in /proc/PID/stat, counted after its name. */
const startedCell = 19;

/** Returns all processes from Linux's /proc; null on other systems. */
function readProcesses(): ProcessInfo[] | null {
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return null;
  }
  const found = names.flatMap((pid) => {
    try {
      // The line is `pid (name) state parent ...`; the name may contain spaces and parentheses.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const nameEnd = stat.lastIndexOf(")");
      const cells = stat.slice(nameEnd + 2).split(" ");
      const [state, parent] = cells;
      // A zombie has ended; its parent has not asked for its exit code yet.
      if (state === "Z") return [];
      const name = stat.slice(stat.indexOf("(") + 1, nameEnd);
      return [{ pid: Number(pid), parent: Number(parent), name, started: cells[startedCell] ?? "" }];
    } catch {
      return [];
    }
  });
  return found.length === 0 ? null : found;
}

/** Returns all processes that `ps` lists; none where there is no such command. */
function askPs(): ProcessInfo[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.+)$/.exec(line) ?? [];
    if (command === undefined) return [];
    const name = command.slice(command.lastIndexOf("/") + 1);
    return [{ pid: Number(pid), parent: Number(parent), name, started: "" }];
  });
}

/** Returns all processes of the machine: from /proc, else from `ps`. An empty list on systems with neither. */
export const listProcesses = (): ProcessInfo[] => readProcesses() ?? askPs();

/** Returns all descendants of a process. */
export function listDescendants(pid: number): ProcessInfo[] {
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
