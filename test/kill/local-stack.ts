import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signalProcessGroup } from "../support/process-group.ts";

const root = join(import.meta.dirname, "../..");
const startTimeoutSeconds = 120;
const stopTimeoutMs = 10_000;
/** Number of characters of output that an error shows. */
const maxOutputLength = 4000;

/** Runs `npm start -- --empty` in its own process group, so that one signal reaches all of its processes at once. */
export class LocalStack {
  readonly url: string;
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #output = "";

  constructor(port: number, stateDir: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = {
      ...process.env,
      PORT: String(port),
      STATE_DIR: stateDir,
      CI: "true",
    };
  }

  /** Starts the processes and waits until `/healthz` answers with 200. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(root, "scripts/start.ts"), "--empty"], {
      cwd: root,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    const appendOutput = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-maxOutputLength);
    };
    child.stdout?.on("data", appendOutput);
    child.stderr?.on("data", appendOutput);
    for (const deadline = Date.now() + startTimeoutSeconds * 1000; Date.now() < deadline; await sleep(50)) {
      if (child.exitCode !== null)
        throw new Error(`scripts/start.ts exited with code ${child.exitCode}:\n${this.#output}`);
      const response = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(2000) }).catch(
        () => null,
      );
      await response?.body?.cancel();
      if (response?.ok) return;
    }
    await this.kill();
    throw new Error(`${this.url}/healthz did not answer within ${startTimeoutSeconds} s:\n${this.#output}`);
  }

  /** Sends SIGKILL to every process at once. Resolves when the processes have ended. */
  kill(): Promise<void> {
    return this.#signalAndWait("SIGKILL");
  }

  /** Sends SIGINT, as Ctrl-C does, and SIGKILL to the processes that run for 10 s longer. */
  async stop(): Promise<void> {
    await this.#signalAndWait("SIGINT");
  }

  async #signalAndWait(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const pid = this.#child?.pid;
    this.#child = null;
    if (pid === undefined) return;
    signalProcessGroup(pid, signal);
    for (const deadline = Date.now() + stopTimeoutMs; signalProcessGroup(pid, 0); await sleep(20))
      if (Date.now() > deadline) signalProcessGroup(pid, "SIGKILL");
  }
}
