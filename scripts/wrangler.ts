import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";

const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");

/**
 * Environment that turns local traces off. Traces record every statement of every Durable Object and take nearly half
 * of the machine's processor time. `X_LOCAL_OBSERVABILITY=true npm run dev` turns them on.
 */
export const localTracesOff = { X_LOCAL_OBSERVABILITY: "false" };

const environment = {
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  CI: "true",
};

/** Exit code and printed output of a command that has ended. */
export interface CommandResult {
  code: number;
  output: string;
}

/** Runs wrangler until it ends, with `input` on its standard input. Returns its exit code and everything it printed. */
export function runWrangler(args: string[], input = ""): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [wrangler, ...args], {
      cwd: root,
      env: { ...localTracesOff, ...process.env, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.end(input);
    let output = "";
    const append = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", append);
    child.stderr.on("data", append);
    child.on("error", reject);
    child.on("exit", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Starts wrangler without waiting for its end, and passes everything it prints to `onOutput`. `variables` are added to
 * its environment.
 */
export function startWrangler(
  args: string[],
  onOutput: (text: string) => void,
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, [wrangler, ...args], {
    cwd: root,
    env: { ...localTracesOff, ...process.env, ...environment, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => onOutput(chunk.toString()));
  return child;
}
