import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { signalProcessGroup } from "../process-group.ts";

const root = join(import.meta.dirname, "../..");
const startTimeoutSeconds = 120;

/** What `npm run dev` runs, in a process group of its own, so that one signal ends all of it at once. */
export class DevServer {
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
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
    };
  }

  /** Starts it and waits until its door answers. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(root, "scripts/dev.ts")], {
      cwd: root,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.#output = (this.#output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    for (const give = Date.now() + startTimeoutSeconds * 1000; Date.now() < give; await sleep(50)) {
      if (child.exitCode !== null) throw new Error(`The stack ended by itself:\n${this.#output}`);
      const answer = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(2000) }).catch(
        () => null,
      );
      await answer?.body?.cancel();
      if (answer?.ok) return;
    }
    await this.kill();
    throw new Error(`The stack did not answer:\n${this.#output}`);
  }

  /** SIGKILL for every process of it, at this moment; resolves when they are gone. */
  kill(): Promise<void> {
    return this.#signalAndWait("SIGKILL");
  }

  /** Ctrl-C, and SIGKILL for what does not hear it. */
  async stop(): Promise<void> {
    await this.#signalAndWait("SIGINT");
  }

  async #signalAndWait(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    const pid = this.#child?.pid;
    this.#child = null;
    if (pid === undefined) return;
    signalProcessGroup(pid, signal);
    for (const give = Date.now() + 10_000; signalProcessGroup(pid, 0); await sleep(20))
      if (Date.now() > give) signalProcessGroup(pid, "SIGKILL");
  }
}
