import { type ChildProcess, spawn } from "node:child_process";
import { trackChild } from "../workers/processes.ts";

/** Seconds after which a busy process ends by itself, should the bench have been killed. */
const maxSeconds = 3600;

/** The program of a busy process: uses one core until its standard input closes, or until `maxSeconds` have passed. */
const program = `
const end = Date.now() + ${maxSeconds * 1000};
process.stdin.on("close", () => process.exit()).resume();
(function work() {
  const slice = Date.now() + 20;
  while (Date.now() < slice);
  if (Date.now() > end) process.exit();
  setImmediate(work);
})();`;

/** Processes that each use a whole core. */
export class BusyProcesses {
  readonly #children: ChildProcess[];

  /** Starts `count` processes. They end with {@link stop}, with this process, and after an hour at the latest. */
  constructor(count: number) {
    this.#children = Array.from({ length: count }, () => {
      const child = spawn(process.execPath, ["-e", program], { stdio: ["pipe", "ignore", "ignore"] });
      trackChild(child);
      return child;
    });
  }

  /** Processes that still run: each ends after an hour. */
  get running(): number {
    return this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      .length;
  }

  stop(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}
