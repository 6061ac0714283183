import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { listDescendants, listProcesses } from "../processes/list-processes.ts";

/** A process, as a lock names it. */
const lockedProcess = z.object({ pid: z.number().int(), name: z.string(), started: z.string() });
type LockedProcess = z.infer<typeof lockedProcess>;
/** Content of `running.json` in the state directory: who uses the state, and what it has started. */
const lock = z.object({ owner: lockedProcess, children: z.array(lockedProcess) });
type Lock = z.infer<typeof lock>;

/** Milliseconds that killed processes get to disappear. */
const goneWithinMs = 10_000;

const lockPath = (stateDir: string): string => join(stateDir, "running.json");

function readLock(stateDir: string): Lock | null {
  try {
    return lock.parse(JSON.parse(readFileSync(lockPath(stateDir), "utf8")));
  } catch {
    return null;
  }
}

/** The start tells a process apart from a later one with the same id; where it is not known, the name does. */
const isRunning = ({ pid, name, started }: LockedProcess): boolean =>
  listProcesses().some(
    (each) => each.pid === pid && (started === "" ? each.name === name : each.started === started),
  );

const toLocked = ({ pid, name, started }: LockedProcess): LockedProcess => ({ pid, name, started });

/**
 * Ends what a killed command left behind: its runtime goes on without it, keeps the port, and would write to the same
 * files as a second one.
 */
async function endLeftovers(children: readonly LockedProcess[]): Promise<void> {
  const running = children.filter(isRunning);
  for (const { pid } of running) process.kill(pid, "SIGKILL");
  for (const deadline = Date.now() + goneWithinMs; running.some(isRunning) && Date.now() < deadline; )
    await sleep(20);
}

/** Milliseconds after which a directory that only a process that was killed can have left is removed. */
const abandonedAfterMs = 5000;

/**
 * Runs `take` while no other process runs it for the same state: of two commands that start at the same moment, one takes
 * the state, and the other one sees that it is taken. A directory is made by one process only.
 */
async function runAlone<T>(stateDir: string, take: () => T): Promise<T> {
  const directory = join(stateDir, "running.taking");
  for (;;) {
    try {
      mkdirSync(directory);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const madeAt = statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - madeAt > abandonedAfterMs) rmSync(directory, { recursive: true, force: true });
    else await sleep(20);
  }
  try {
    return take();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A state directory that this process alone uses. */
export interface StateLock {
  /** Records the processes that this one has started, so that the next command can end them if this one is killed. */
  recordChildren(): void;
  /** Gives the state back. */
  release(): void;
}

/**
 * Takes the state directory for this process, since two runtimes must not write to the same files. Ends the runtime of
 * an earlier command that was killed. Throws if another command is using the state.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  mkdirSync(stateDir, { recursive: true });
  const own = listProcesses().find(({ pid }) => pid === process.pid);
  const owner = own ? toLocked(own) : { pid: process.pid, name: "node", started: "" };
  const write = (children: LockedProcess[]): void =>
    writeFileSync(lockPath(stateDir), JSON.stringify({ owner, children } satisfies Lock));
  const leftovers = await runAlone(stateDir, () => {
    const held = readLock(stateDir);
    if (held && isRunning(held.owner) && held.owner.pid !== process.pid)
      throw new Error(
        `The state in ${stateDir} is in use by process ${held.owner.pid}. Stop that process, or use another directory: STATE_DIR=DIR npm start`,
      );
    write(held?.children ?? []);
    return held?.children ?? [];
  });
  await endLeftovers(leftovers);
  write([]);
  return {
    recordChildren: () => write(listDescendants(process.pid).map(toLocked)),
    release: () => rmSync(lockPath(stateDir), { force: true }),
  };
}
