import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { listDescendants } from "../../scripts/processes/list-processes.ts";
import { endProcess, trackChild } from "../workers/processes.ts";
import { sendOnce } from "./closed-loop.ts";
import { answerFailure, type LoadRequest } from "./requests.ts";

/** Seconds that a server may take until its first good answer after its start. */
const startTimeoutSeconds = 600;
const pollMs = 50;
/** Characters of a command's output that an error quotes. */
const maxQuotedCharacters = 2000;

/**
 * Waits until a server gives a good answer. Returns the milliseconds. Throws after `timeoutSeconds`, or if `failed` says why
 * not.
 */
export async function waitForAnswer(
  url: string,
  request: () => LoadRequest,
  timeoutSeconds: number,
  failed: () => string | null = () => null,
): Promise<number> {
  const started = performance.now();
  let reason = "it was not asked";
  while (performance.now() - started < timeoutSeconds * 1000) {
    const ended = failed();
    if (ended !== null) throw new Error(ended);
    const asked = request();
    try {
      const { status, text } = await sendOnce(url, asked);
      const failure = answerFailure(asked, status, text);
      if (failure === null) return performance.now() - started;
      reason = failure;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    await sleep(pollMs);
  }
  throw new Error(`${url} gave no good answer within ${timeoutSeconds} s: ${reason}`);
}

/** A server that this bench started by a shell command, and may therefore kill. */
export class StartedServer {
  readonly #command: string;
  readonly #url: string;
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #output = "";

  constructor(command: string, url: string, environment: NodeJS.ProcessEnv = process.env) {
    this.#command = command;
    this.#url = url;
    this.#environment = environment;
  }

  /** First process of the server: the shell. */
  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  /** The end of what the command printed. */
  get output(): string {
    return this.#output;
  }

  /** Starts the command. Returns the milliseconds until a request has a good answer. */
  async start(request: () => LoadRequest): Promise<number> {
    const child = spawn("sh", ["-c", this.#command], {
      stdio: ["ignore", "pipe", "pipe"],
      env: this.#environment,
    });
    trackChild(child);
    this.#child = child;
    const keep = (part: Buffer): void => {
      this.#output = (this.#output + part.toString("utf8")).slice(-maxQuotedCharacters);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return waitForAnswer(this.#url, request, startTimeoutSeconds, () => {
      const end = child.exitCode ?? child.signalCode;
      return end === null ? null : `"${this.#command}" ended with ${end}: ${this.#output}`;
    });
  }

  /** Kills all processes of the server at once, as a loss of power does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    for (const pid of [child.pid, ...listDescendants(child.pid).map((each) => each.pid)])
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The process has already ended.
      }
    await exited;
  }

  /** Ends the server: asks it first, then kills what is left. */
  async stop(): Promise<void> {
    if (this.#child) await endProcess(this.#child);
  }
}
