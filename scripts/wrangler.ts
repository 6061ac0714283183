import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";

const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

/**
 * Local traces record every statement of every object, which takes nearly half of the machine: only for who asks,
 * `X_LOCAL_OBSERVABILITY=true npm run dev`.
 */
export const localTracesOff = { X_LOCAL_OBSERVABILITY: "false" };

const environment = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  CI: "true",
};

/** What a finished command left. */
export interface CommandResult {
  code: number;
  output: string;
}

/** Runs wrangler to its end, `input` on its standard input, and gives its exit code and all it printed. */
export function runWrangler(args: string[], input = ""): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [wrangler, ...args], {
      cwd: root,
      env: { ...localTracesOff, ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.end(input);
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("exit", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Starts wrangler and leaves it running; its lines go to `onOutput`. */
export function startWrangler(args: string[], onOutput: (text: string) => void): ChildProcess {
  const child = spawn(process.execPath, [wrangler, ...args], {
    cwd: root,
    env: { ...localTracesOff, ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  return child;
}
