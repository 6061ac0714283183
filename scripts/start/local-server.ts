import { readdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import type { BuiltWorker } from "../build/built-worker.ts";
import { objectKeysOf } from "./former-objects.ts";
import { rateLimitBindings, rateLimitWorker } from "./local-rate-limit.ts";

const host = "127.0.0.1";

/** Name of the worker that a project's worker has on the local runtime and on Cloudflare. */
const deployedName = (name: string): string => `vicinity-${name}`;

/**
 * Host that workers see of a request that came through the local runtime's own port. The runtime lets a client choose
 * the worker and the host there (`mf-route-override`, `mf-original-url`); with this upstream it replaces the host, and
 * the gateway answers the development keys to local names only.
 */
const innerHost = "http://inner.invalid";

/** What the local server runs with. */
export interface LocalServerOptions {
  /** Port for requests, which the gateway's own socket answers without a proxy in front. */
  port: number;
  stateDir: string;
  workers: readonly BuiltWorker[];
  /** Variables and secrets by the name of the worker that receives them, beside those of its configuration. */
  variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Port of the inspector of all isolates; null for none. */
  inspectorPort: number | null;
  /** Receives warnings and errors of workers and runtime, as text. */
  onOutput: (text: string) => void;
}

/** A running local server: all workers in one process of workerd. */
export interface LocalServer {
  url: string;
  /** Runs the cron trigger of each minute, which the local runtime does not run by itself. */
  runCron(): Promise<void>;
  /** Stops all workers. What was acknowledged is on disk; rows that were on their way are sent after the next start. */
  stop(): Promise<void>;
}

/**
 * Options of V8: heaps grow by less between two collections, and new objects have less room. All isolates then take
 * less memory. `MINIFLARE_WORKERD_V8_FLAGS` replaces them.
 */
const v8Options = "--heap-growing-percent=30 --max-semi-space-size=4";

/** How the files beside a bundle are imported. */
const moduleTypes: Readonly<Record<string, "CompiledWasm" | "Data">> = { wasm: "CompiledWasm", onnx: "Data" };

/** Returns the modules of a built worker: its bundle first, then what the bundle imports as bytes. */
function modulesIn(folder: string): { type: "ESModule" | "CompiledWasm" | "Data"; path: string }[] {
  const imported = readdirSync(folder).flatMap((file) => {
    const type = moduleTypes[file.slice(file.lastIndexOf(".") + 1)];
    return type === undefined ? [] : [{ type, path: join(folder, file) }];
  });
  return [{ type: "ESModule", path: join(folder, "index.js") }, ...imported];
}

/** What a worker gets of the local server beside its own options. */
interface WorkerSurroundings {
  port: number;
  variables: Readonly<Record<string, string>>;
  /** Names under which the state keeps objects, by class: see {@link objectKeysOf}. */
  objectKeys: Readonly<Record<string, string>>;
}

/** Returns the runtime's options of one worker. Only the gateway has a socket. */
function runtimeOptions(
  { name, folder, options }: BuiltWorker,
  { port, variables, objectKeys }: WorkerSurroundings,
): V4WorkerOptions {
  const { ratelimits, serviceBindings, durableObjects = {}, ...rest } = options;
  const objects = Object.entries(durableObjects).map(([binding, object]) => {
    const key = objectKeys[object.className];
    return [binding, key === undefined ? object : { ...object, unsafeUniqueKey: key }];
  });
  return {
    ...rest,
    serviceBindings: { ...serviceBindings, ...rateLimitBindings(ratelimits) },
    durableObjects: Object.fromEntries(objects),
    name: deployedName(name),
    rootPath: folder,
    modulesRoot: folder,
    modules: modulesIn(folder),
    bindings: { ...options.bindings, ...variables },
    ...(name === "gateway" ? { unsafeDirectSockets: [{ host, port }] } : {}),
  };
}

/**
 * Starts all workers in one process of workerd, with their state on disk where `wrangler dev` keeps it. Requests reach
 * the gateway as they do on Cloudflare: no proxy in front, nothing that watches files. Throws with the runtime's output
 * if it does not start.
 */
export async function startLocalServer({
  port,
  stateDir,
  workers,
  variables,
  inspectorPort,
  onOutput,
}: LocalServerOptions): Promise<LocalServer> {
  process.env.MINIFLARE_WORKERD_V8_FLAGS ??= v8Options;
  const objectKeys = objectKeysOf(stateDir);
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      workers: [
        ...workers.map((worker) =>
          runtimeOptions(worker, { port, objectKeys, variables: variables[worker.name] ?? {} }),
        ),
        rateLimitWorker,
      ],
      host,
      port: 0,
      upstream: innerHost,
      ...(inspectorPort === null ? {} : { inspectorHost: host, inspectorPort }),
      resourcePersistencePath: join(stateDir, "v3"),
      log: new Log(LogLevel.NONE),
      logRequests: false,
      // Lower levels would store each request's path, which contains user ids.
      handleStructuredLogs: ({ level, message }) => {
        if (level === "warn" || level === "error") onOutput(`${message}\n`);
      },
    }),
  );
  try {
    await runtime.ready;
  } catch (error) {
    await runtime.dispose().catch(() => undefined);
    throw error;
  }
  return {
    url: `http://${host}:${port}`,
    runCron: async () => {
      const gateway = await runtime.getWorker(deployedName("gateway"));
      await gateway.scheduled({ cron: "* * * * *" });
    },
    stop: () => runtime.dispose(),
  };
}
