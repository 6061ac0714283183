import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
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
  /** What wrangler reported for programs, such as the id of an uploaded version; absent if it reported nothing. */
  entries?: readonly unknown[];
}

/** Returns the lines of a file as JSON; none if there is no such file. */
const readEntries = (file: string): unknown[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];

/**
 * Runs wrangler until it ends, with `input` on its standard input. `variables` are added to its environment. Returns its
 * exit code, everything it printed, and what it reported for programs.
 */
export function runWrangler(
  args: string[],
  input = "",
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-wrangler-"));
  const report = join(folder, "report.ndjson");
  return new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(process.execPath, [wrangler, ...args], {
      cwd: root,
      env: {
        ...localTracesOff,
        ...process.env,
        ...environment,
        WRANGLER_OUTPUT_FILE_PATH: report,
        ...variables,
      },
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
    child.on("close", (code) => resolve({ code: code ?? 1, output, entries: readEntries(report) }));
  }).finally(() => rmSync(folder, { recursive: true, force: true }));
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

/** Returns the JSON in wrangler's output, which may have other lines before and after it. */
export function parseJson(output: string): unknown {
  const from = output.search(/^[[{]/m);
  const to = Math.max(output.lastIndexOf("]"), output.lastIndexOf("}"));
  if (from < 0 || to < from) throw new Error(`wrangler printed no JSON. Its output:\n${output.trim()}`);
  return JSON.parse(output.slice(from, to + 1));
}
