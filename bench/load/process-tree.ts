import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { listDescendants } from "../../scripts/processes/list-processes.ts";
import { processorSeconds } from "../../scripts/processes/processor-seconds.ts";
import { residentMegabytes } from "../workers/processes.ts";

/** Fields of /proc/PID/stat after the name. */
const field = { parent: 1, group: 2 };

/** Returns the parent and the process group of a process; null if there is no such process. */
function relationsOf(pid: number): { parent: number; group: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const cells = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { parent: Number(cells[field.parent]), group: Number(cells[field.group]) };
  } catch {
    return null;
  }
}

/** Returns the inodes of the sockets that listen on a TCP port. */
function listeningInodes(port: number): Set<string> {
  const found = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"])
    try {
      for (const line of readFileSync(table, "utf8").trim().split("\n").slice(1)) {
        const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state === "0A" && Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16) === port)
          found.add(inode);
      }
    } catch {
      // This system has no such table.
    }
  return found;
}

/** Returns the process that listens on a TCP port of this machine; null if there is none or /proc does not tell. */
export function findListener(port: number): number | null {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined && inodes.has(inode)) return Number(pid);
      }
    } catch {
      // The process has ended, or belongs to another user.
    }
  return null;
}

/**
 * Returns the first process of the server that a process belongs to: its farthest ancestor in the same process group, as
 * `npm start` above node above workerd. Ancestors of this process are not part of a server.
 */
export function serverRoot(pid: number): number {
  const own = new Set<number>();
  for (let each = process.pid; each > 1 && !own.has(each); each = relationsOf(each)?.parent ?? 0)
    own.add(each);
  let root = pid;
  for (;;) {
    const relations = relationsOf(root);
    if (!relations || relations.parent <= 1 || own.has(relations.parent)) return root;
    if (relationsOf(relations.parent)?.group !== relations.group) return root;
    root = relations.parent;
  }
}

/** Processor time and memory that a process and all its descendants use. */
export interface TreeUsage {
  processes: number;
  processorSeconds: number;
  residentMegabytes: number;
}

/**
 * Returns what a process and all its descendants use, or those descendants that have a name; NaN where /proc does not
 * tell.
 */
export function treeUsage(root: number, name: string | null = null): TreeUsage {
  const descendants = listDescendants(root).filter((each) => name === null || each.name === name);
  const pids = [...(name === null ? [root] : []), ...descendants.map(({ pid }) => pid)];
  // A process that ends while the list is read has no figures.
  const sum = (of: (pid: number) => number): number => {
    const values = pids.map(of).filter((value) => !Number.isNaN(value));
    return values.length === 0 ? Number.NaN : values.reduce((total, value) => total + value, 0);
  };
  return {
    processes: pids.length,
    processorSeconds: sum(processorSeconds),
    residentMegabytes: sum(residentMegabytes),
  };
}
