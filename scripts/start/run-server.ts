import { createWriteStream, rmSync } from "node:fs";
import { join } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { buildWorkers } from "../build/build-workers.ts";
import type { BuiltWorker } from "../build/built-worker.ts";
import { migrateLocalDatabases } from "../databases/migrate.ts";
import { listDescendants } from "../processes/list-processes.ts";
import { processorSeconds } from "../processes/processor-seconds.ts";
import type { LocalServer } from "./local-server.ts";
import { localVariables } from "./local-variables.ts";
import type { StateLock } from "./state-lock.ts";

/** How a server is run. */
export interface RunOptions {
  port: number;
  stateDir: string;
  /** Import that `/readyz` waits for; null for none. */
  initialImport: string | null;
  /** Port of the inspector of all isolates; null for none. */
  inspectorPort: number | null;
  /** The state directory, taken for this process. */
  lock: StateLock;
}

/** Where the progress of a start is shown. */
export interface StartProgress {
  /** Called when a step begins. Returns what shows its details and its end. */
  begin(step: string): { update(detail: string): void; done(detail: string): void };
}

/** Returns the file of the warnings and errors of the last start. */
const logPath = (stateDir: string): string => join(stateDir, "workers.log");

const watchIntervalMs = 500;
/** Characters of the workers' output that an error quotes. */
const maxQuotedCharacters = 4000;

/** Returns how much processor time the runtime has used, as a sentence: on a loaded machine a start takes long. */
function runtimeState(sinceMs: number): string {
  const waited = `${Math.round((Date.now() - sinceMs) / 1000)} s`;
  const runtime = listDescendants(process.pid).find(({ name }) => name === "workerd");
  if (runtime === undefined) return `${waited}, the runtime's process has not started`;
  const used = processorSeconds(runtime.pid);
  return Number.isNaN(used)
    ? `${waited}, the runtime is loading`
    : `${waited}, of which the runtime had ${used.toFixed(1)} s of a processor core`;
}

/** A running server that can be restarted. */
export interface RunningServer extends LocalServer {
  /** Starts the runtime anew after the initial import, with the same workers, and waits until it answers. */
  restart(): Promise<void>;
}

/** Workers that are built, and databases that are migrated. */
export interface PreparedWorkers {
  workers: BuiltWorker[];
  /** What had to be done, as text. */
  done: string;
}

/** Work that prepares a server; `state` says what it is doing. */
export interface Preparation {
  state(): string;
  finished: Promise<PreparedWorkers>;
}

/** Begins to build the workers that have changed, and to migrate the databases of a state directory. */
export function prepareWorkers(stateDir: string): Preparation {
  let building = "";
  const prepare = async (): Promise<PreparedWorkers> => {
    const [{ workers, built }, applied] = await Promise.all([
      buildWorkers((name) => {
        building = name;
      }),
      migrateLocalDatabases(stateDir),
    ]);
    const builds = built === 0 ? "no worker has changed" : `${built} of ${workers.length} workers built`;
    return { workers, done: `${builds}, ${applied ? "tables created, cities loaded" : "tables up to date"}` };
  };
  const finished = prepare();
  // Whoever awaits it learns of a failure; until then it must not end the process.
  finished.catch(() => undefined);
  return { state: () => building, finished };
}

/**
 * Starts all workers when they are prepared. The runtime's warnings and errors go to `workers.log` in the state directory.
 * Waits as long as the machine needs, and shows what it is waiting for. Throws with the reason if a build, a migration or
 * the runtime fails.
 */
export async function runServer(
  options: RunOptions,
  preparation: Preparation,
  progress: StartProgress,
): Promise<RunningServer> {
  const preparing = progress.begin("Build the workers, migrate the databases");
  const showState = setInterval(() => preparing.update(preparation.state()), watchIntervalMs);
  const { workers, done } = await preparation.finished.finally(() => clearInterval(showState));
  preparing.done(done);

  const starting = progress.begin("Start the workers");
  rmSync(logPath(options.stateDir), { force: true });
  let server = await startWorkers(workers, options, (detail) => starting.update(detail));
  starting.done(`${workers.length - 1} workers and the static pages run in one process`);
  return {
    url: server.url,
    runCron: () => {
      // The library starts a runtime that has crashed again, as another process.
      options.lock.recordChildren();
      return server.runCron();
    },
    stop: () => server.stop(),
    restart: async () => {
      await server.stop();
      server = await startWorkers(workers, { ...options, initialImport: null }, () => undefined);
    },
  };
}

/**
 * Users, and cells, whose objects stay open for five minutes after their last call: all of the demo. Each takes about
 * 0.4 MB.
 */
const keepAwake = JSON.stringify({ objects: 2500, seconds: 300 });

/** Starts built workers. Calls `onWait` with what the start is waiting for. */
async function startWorkers(
  workers: readonly BuiltWorker[],
  { port, stateDir, initialImport, inspectorPort, lock }: RunOptions,
  onWait: (detail: string) => void,
): Promise<LocalServer> {
  const logFile = logPath(stateDir);
  const log = createWriteStream(logFile, { flags: "a" });
  let tail = "";
  const local = localVariables(stateDir);
  const variables = {
    gateway: local.gateway,
    recommendation: local.recommendation,
    "user-session": { ...local["user-session"], KEEP_AWAKE: keepAwake },
    cell: { KEEP_AWAKE: keepAwake },
  };
  if (initialImport !== null)
    variables.gateway.INITIAL_IMPORT = `${initialImport}@${Math.floor(Date.now() / 1000)}`;
  const startedMs = Date.now();
  const watch = setInterval(() => {
    lock.recordChildren();
    onWait(runtimeState(startedMs));
  }, watchIntervalMs);
  try {
    // The runtime's library takes a third of a second to load, so it is loaded when it is needed.
    const { startLocalServer } = await import("./local-server.ts");
    const server = await startLocalServer({
      port,
      stateDir,
      workers,
      variables,
      inspectorPort,
      onOutput: (text) => {
        log.write(text);
        tail = (tail + text).slice(-maxQuotedCharacters);
      },
    });
    lock.recordChildren();
    return server;
  } catch (error) {
    throw new Error(
      `The workers did not start: ${error instanceof Error ? error.message : error}\nThe end of ${logFile}:\n${tail.trim() || "(nothing)"}`,
    );
  } finally {
    clearInterval(watch);
  }
}
