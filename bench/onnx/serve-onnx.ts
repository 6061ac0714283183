import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startWrangler } from "../../scripts/wrangler.ts";
import { endProcess, trackChild } from "../workers/processes.ts";
import { findWorkerd } from "../workers/workerd.ts";

/** A worker in workerd that only runs the model. */
export interface OnnxWorker {
  /** Returns the milliseconds of one run: the mean of `runs` in one request, since workerd's clock is coarse. */
  run(candidates: number, runs: number): Promise<number>;
  stop(): Promise<void>;
}

const startTimeoutMs = 60_000;

/** Starts the worker that only runs the model. Throws if it does not start or the model does not fit the code. */
export async function startOnnxWorker(port: number): Promise<OnnxWorker> {
  const stateDir = mkdtempSync(join(tmpdir(), "vicinity-bench-onnx-"));
  let output = "";
  const child = startWrangler(
    [
      "dev",
      ...["-c", "bench/onnx/worker/wrangler.toml", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--inspector-port", "0", "--persist-to", stateDir, "--show-interactive-dev-session=false"],
    ],
    (text) => {
      output = (output + text).slice(-4000);
    },
  );
  trackChild(child);
  const stop = async (): Promise<void> => {
    await endProcess(child);
    rmSync(stateDir, { recursive: true, force: true });
  };
  const path = "/?candidates=1&runs=1";
  for (const deadline = Date.now() + startTimeoutMs; ; await sleep(200)) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    const text = await response?.text();
    if (response?.ok) break;
    if (response?.status === 500 || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`The worker that runs the bundled model in workerd did not start: ${text ?? output}`);
    }
  }
  const workerd = await findWorkerd(child, port, path);
  const url = workerd?.url ?? `http://127.0.0.1:${port}`;
  return {
    stop,
    async run(candidates, runs) {
      const response = await fetch(`${url}/?candidates=${candidates}&runs=${runs}`);
      const { ms } = (await response.json()) as { ms: number };
      return ms / runs;
    },
  };
}
