import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { configArguments, servedConfigs } from "../workers.ts";
import { startWrangler } from "../wrangler.ts";

/** The key that local commands use; the gateway accepts it only where DEVELOPMENT_KEYS is "on". */
export const developmentKey = "dev-admin-key";

/** Whether a port of this machine can be listened on. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A secret that signs tokens, kept with the state so that tokens survive a restart. */
function tokenSecret(stateDir: string): string {
  const file = join(stateDir, "token-secret");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

/** Arguments of `wrangler dev` for all workers in one process. */
export const devArguments = (port: number, stateDir: string): string[] => [
  "dev",
  ...configArguments(servedConfigs),
  "--ip",
  "127.0.0.1",
  "--port",
  String(port),
  "--inspector-port",
  "0",
  "--persist-to",
  stateDir,
  "--var",
  "DEVELOPMENT_KEYS:on",
  "--var",
  `TOKEN_SECRET:${tokenSecret(stateDir)}`,
];

/** All workers, being served. */
export interface RunningWorkers {
  url: string;
}

/**
 * Starts all workers and waits until the gateway answers; `onChild` hears of the process at once, so that whoever must
 * end early can end it. Its output goes to a file in the state.
 */
export async function startWorkers(
  port: number,
  stateDir: string,
  onChild: (child: ChildProcess) => void,
): Promise<RunningWorkers> {
  const logFile = join(stateDir, "workers.log");
  const log = createWriteStream(logFile);
  let tail = "";
  const child = startWrangler(
    // Its own lines would name each request's path, and paths name people; warnings and errors stay.
    [...devArguments(port, stateDir), "--show-interactive-dev-session=false", "--log-level", "warn"],
    (text) => {
      log.write(text);
      tail = (tail + text).slice(-4000);
    },
  );
  onChild(child);
  const url = `http://127.0.0.1:${port}`;
  for (const give = Date.now() + 120_000; Date.now() < give; await sleep(100)) {
    if (child.exitCode !== null) throw new Error(`The workers did not start:\n${tail.trim()}`);
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    if (answer?.ok) return { url };
    await answer?.body?.cancel();
  }
  child.kill();
  throw new Error(`The workers did not answer within two minutes:\n${tail.trim()}`);
}

/** Waits until `/readyz` says yes; `report` hears what is missing. */
export async function waitUntilReady(
  url: string,
  seconds: number,
  report: (detail: string) => void,
): Promise<void> {
  let last = "no answer";
  for (const give = Date.now() + seconds * 1000; Date.now() < give; await sleep(200)) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) {
      await answer.body?.cancel();
      return;
    }
    if (answer) last = await answer.text();
    report(last.slice(0, 200));
  }
  throw new Error(`Not ready after ${seconds} s: ${last}`);
}
