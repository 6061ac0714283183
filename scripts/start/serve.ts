import type { ChildProcess } from "node:child_process";
import { createWriteStream, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ApiTarget } from "../api/send-with-retries.ts";
import { tokenSecretVariables } from "../token-secret/local-secrets.ts";
import { configArguments, servedConfigs } from "../workers.ts";
import { startWrangler } from "../wrangler.ts";
import { developmentMarker, secretIn } from "./state-secrets.ts";

/** Admin key of local commands. The gateway accepts it only in a state that a local command made. */
export const developmentKey = "dev-admin-key";

/** Returns whether a port of this machine is free. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/**
 * Returns the environment of `wrangler dev` with the secrets that the configurations require. A process list does not show an
 * environment to other users. The state directory keeps the secrets, so that ids stay valid after a restart.
 */
export const devEnvironment = (stateDir: string): Record<string, string> => ({
  PSEUDONYM_SECRET: secretIn(stateDir, "pseudonym-secret"),
});

/**
 * Writes the file of the gateway's secrets and of the marker of its state, which only this user may read, and returns its
 * path. wrangler gives the file's variables to the gateway alone, the first configuration.
 */
function writeGatewayEnvironment(stateDir: string, proxySecret: string | null): string {
  const file = join(stateDir, "gateway.env");
  const variables = {
    ...tokenSecretVariables(stateDir),
    DEVELOPMENT_KEYS: developmentMarker(stateDir),
    ...(proxySecret === null ? {} : { LOCAL_PROXY_SECRET: proxySecret }),
  };
  const text = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  rmSync(file, { force: true });
  writeFileSync(file, text.join(""), { mode: 0o600 });
  return file;
}

/** What a local command gives to the gateway beside its secrets. */
export interface ServeOptions {
  /** Secret of the local proxy in front of the workers; null where requests go to them directly. */
  proxySecret: string | null;
  /** Import that `/readyz` waits for; null for none. */
  initialImport: string | null;
}

/**
 * Returns the arguments of `wrangler dev` for all workers in one process. No secret is among them, since every user of the
 * machine can read them.
 */
export const devArguments = (
  port: number,
  stateDir: string,
  { proxySecret, initialImport }: ServeOptions,
): string[] => [
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
  "--env-file",
  writeGatewayEnvironment(stateDir, proxySecret),
  ...(initialImport === null
    ? []
    : ["--var", `INITIAL_IMPORT:${initialImport}@${Math.floor(Date.now() / 1000)}`]),
];

const requestTimeoutMs = 10_000;
const startTimeoutMs = 120_000;
/** Characters of the workers' output that an error quotes. */
const maxQuotedCharacters = 4000;

/** All workers, ready to receive requests. */
export interface RunningWorkers {
  url: string;
}

/**
 * Starts all workers and waits until the gateway answers. Writes their output to `workers.log` in the state directory.
 * Calls `onChild` with the process as soon as it is started, so that the caller can end it at any time.
 */
export async function startWorkers(
  port: number,
  stateDir: string,
  onChild: (child: ChildProcess) => void,
  options: ServeOptions,
): Promise<RunningWorkers> {
  const logFile = join(stateDir, "workers.log");
  const log = createWriteStream(logFile);
  let tail = "";
  const child = startWrangler(
    // Log warnings and errors only: at lower levels wrangler prints each request's path, which contains user ids.
    [...devArguments(port, stateDir, options), "--show-interactive-dev-session=false", "--log-level", "warn"],
    (text) => {
      log.write(text);
      tail = (tail + text).slice(-maxQuotedCharacters);
    },
    devEnvironment(stateDir),
  );
  onChild(child);
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(100)) {
    if (child.exitCode !== null)
      throw new Error(`The workers did not start. The end of ${logFile}:\n${tail.trim()}`);
    const response = await fetch(`${url}/healthz`).catch(() => null);
    if (response?.ok) return { url };
    await response?.body?.cancel();
  }
  child.kill();
  throw new Error(
    `The workers did not answer within ${startTimeoutMs / 1000} s. The end of ${logFile}:\n${tail.trim()}`,
  );
}

/** What `GET /v1/readiness` answers, as far as this command reads it. */
const readiness = z.object({
  ready: z.boolean(),
  workers: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string() })),
  imports: z.array(z.object({ name: z.string(), done: z.number(), total: z.number() })),
});

/** Returns why the service is not ready for the key's application; null if it is ready. */
async function unreadyReason({ url, key }: ApiTarget): Promise<string | null> {
  const answer = await fetch(`${url}/v1/readiness`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(requestTimeoutMs),
  }).catch(() => null);
  if (answer === null) return "no response";
  const text = await answer.text();
  if (!answer.ok) return `GET /v1/readiness answered ${answer.status}: ${text}`;
  const { ready, workers, imports } = readiness.parse(JSON.parse(text));
  if (ready) return null;
  const reasons = [
    ...Object.entries(workers).flatMap(([name, each]) => (each.ready ? [] : [`${name}: ${each.detail}`])),
    ...imports.map(({ name, done, total }) => `import ${name}: ${done} of ${total}`),
  ];
  return reasons.join("; ");
}

/**
 * Waits until the service is ready for the application of an admin key, and calls `onWait` with the reason why it is
 * not. Throws after `seconds`.
 */
export async function waitUntilReady(
  target: ApiTarget,
  seconds: number,
  onWait: (reason: string) => void,
): Promise<void> {
  let reason: string | null = null;
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(200)) {
    reason = await unreadyReason(target);
    if (reason === null) return;
    onWait(reason);
  }
  throw new Error(`The service is not ready after ${seconds} s: ${reason}`);
}
