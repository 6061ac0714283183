import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { trackChild } from "../workers/processes.ts";

/** The system calls that cost most on a disk: synchronizing a file, writing to one, opening one, removing one. */
const counted = ["fsync", "fdatasync", "pwrite64", "openat", "unlink"] as const;
export type CountedCall = (typeof counted)[number];

/** Returns whether `strace` is installed, which counts the calls. */
export const canCountSystemCalls = (): boolean =>
  spawnSync("strace", ["--version"], { stdio: "ignore" }).status === 0;

/** Returns the numbers of calls in the table that `strace -c` prints; calls that it does not list were not made. */
export function parseCallCounts(table: string): Record<CountedCall, number> {
  const counts = { fsync: 0, fdatasync: 0, pwrite64: 0, openat: 0, unlink: 0 };
  for (const line of table.split("\n")) {
    // % time, seconds, microseconds a call, calls, errors where there are some, and the name.
    const [, , , calls, ...rest] = line.trim().split(/\s+/);
    const name = counted.find((each) => each === rest.at(-1));
    if (name) counts[name] = Number(calls);
  }
  return counts;
}

/** Counts the system calls of a process and of all its threads. The process is slower meanwhile. */
export class SystemCallCounter {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Attaches to a process. Throws if the system does not allow it. */
  static async attach(pid: number): Promise<SystemCallCounter> {
    const folder = mkdtempSync(join(tmpdir(), "vicinity-calls-"));
    const child = spawn(
      "strace",
      ["-f", "-c", "-e", `trace=${counted.join(",")}`, "-o", join(folder, "counts"), "-p", String(pid)],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    trackChild(child);
    let said = "";
    child.stderr?.on("data", (part: Buffer) => {
      said += part.toString("utf8");
    });
    while (!said.includes("attached")) {
      if (child.exitCode !== null) throw new Error(`strace cannot count the calls of ${pid}: ${said.trim()}`);
      await sleep(20);
    }
    return new SystemCallCounter(child, folder);
  }

  /** Detaches, and returns the number of calls since it was attached. */
  async stop(): Promise<Record<CountedCall, number>> {
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGINT");
    await exited;
    const counts = parseCallCounts(readFileSync(join(this.#folder, "counts"), "utf8"));
    rmSync(this.#folder, { recursive: true, force: true });
    return counts;
  }
}
