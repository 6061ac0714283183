import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startWrangler } from "../../scripts/wrangler.ts";
import { endProcess, trackChild } from "../workers/processes.ts";
import { findWorkerd } from "../workers/workerd.ts";

/** The bare ONNX run in workerd. */
export interface OnnxWorker {
  /** Milliseconds of one run: the mean of `runs` in one request, since workerd's clock is coarse. */
  run(candidates: number, runs: number): Promise<number>;
  stop(): Promise<void>;
}

const timeoutMs = 60_000;

/** Starts the worker that only runs the model. Throws where it does not start or the model does not fit the code. */
export async function startOnnxWorker(port: number): Promise<OnnxWorker> {
  const state = mkdtempSync(join(tmpdir(), "vicinity-bench-onnx-"));
  let output = "";
  const child = startWrangler(
    [
      "dev",
      ...["-c", "bench/onnx/worker/wrangler.toml", "--ip", "127.0.0.1", "--port", String(port)],
      ...["--inspector-port", "0", "--persist-to", state, "--show-interactive-dev-session=false"],
    ],
    (text) => {
      output = (output + text).slice(-4000);
    },
  );
  trackChild(child);
  const stop = async (): Promise<void> => {
    await endProcess(child);
    rmSync(state, { recursive: true, force: true });
  };
  const path = "/?candidates=1&runs=1";
  for (const give = Date.now() + timeoutMs; ; await sleep(200)) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    const text = await answer?.text();
    if (answer?.ok) break;
    if (answer?.status === 500 || child.exitCode !== null || Date.now() > give) {
      await stop();
      throw new Error(`The model does not run in workerd: ${text ?? output}`);
    }
  }
  const direct = await findWorkerd(child, port, path);
  const url = direct?.url ?? `http://127.0.0.1:${port}`;
  return {
    stop,
    async run(candidates, runs) {
      const answer = await fetch(`${url}/?candidates=${candidates}&runs=${runs}`);
      const { ms } = (await answer.json()) as { ms: number };
      return ms / runs;
    },
  };
}
