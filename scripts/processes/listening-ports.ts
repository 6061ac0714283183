import { readdirSync, readFileSync, readlinkSync } from "node:fs";

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
