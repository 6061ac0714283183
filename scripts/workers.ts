import { join } from "node:path";

/** Absolute path of the project's folder. */
export const root = join(import.meta.dirname, "..");

/** Describes where a worker's configuration, database and generated types are. */
export interface WorkerConfig {
  name: string;
  /** Path of the wrangler.toml, relative to the project's folder. */
  config: string;
  /** Path of the folder with the worker's code, relative to the project's folder. */
  folder: string;
  /** Name of the worker's D1 database; null for a worker without one. */
  database: string | null;
  /** Name of the worker's generated environment type. */
  envInterface: string;
  /** Workers whose services or objects this worker calls by RPC; its generated bindings refer to their types. */
  callees: string[];
}

/**
 * All workers that run code. The gateway is first, and only the gateway has public routes. `database` is the database that
 * the worker owns: the objects of users also write to the recommendation worker's.
 */
export const workers: WorkerConfig[] = [
  {
    name: "gateway",
    config: "wrangler.toml",
    folder: "workers/gateway",
    database: "vicinity-gateway",
    envInterface: "GatewayEnv",
    callees: ["recommendation", "user", "product", "location", "trainer"],
  },
  {
    name: "recommendation",
    config: "workers/recommendation/wrangler.toml",
    folder: "workers/recommendation",
    database: "vicinity-recommendation",
    envInterface: "RecommendationEnv",
    callees: ["user-session", "user", "product", "location"],
  },
  {
    name: "user-session",
    config: "durable-objects/user-session/wrangler.toml",
    folder: "durable-objects/user-session",
    database: null,
    envInterface: "UserSessionEnv",
    callees: ["user", "location"],
  },
  {
    name: "user",
    config: "workers/user/wrangler.toml",
    folder: "workers/user",
    database: "vicinity-user",
    envInterface: "UserEnv",
    callees: [],
  },
  {
    name: "product",
    config: "workers/product/wrangler.toml",
    folder: "workers/product",
    database: "vicinity-product",
    envInterface: "ProductEnv",
    callees: ["location"],
  },
  {
    name: "location",
    config: "workers/location/wrangler.toml",
    folder: "workers/location",
    database: "vicinity-location",
    envInterface: "LocationEnv",
    callees: ["cell"],
  },
  {
    name: "cell",
    config: "durable-objects/cell/wrangler.toml",
    folder: "durable-objects/cell",
    database: null,
    envInterface: "CellEnv",
    callees: [],
  },
  {
    name: "trainer",
    config: "workers/trainer/wrangler.toml",
    folder: "workers/trainer",
    database: "vicinity-trainer",
    envInterface: "TrainerEnv",
    callees: ["recommendation", "user"],
  },
];

/** Path of the configuration of the `pages` worker, which serves static files and runs no code. */
export const pagesConfig = "workers/pages/wrangler.toml";

/** Configurations of all workers, for one `wrangler dev`: the first one, the gateway's, receives the requests. */
export const servedConfigs: readonly string[] = [...workers.map(({ config }) => config), pagesConfig];

/** Returns wrangler's arguments for several configurations: `-c FILE` for each. */
export const configArguments = (configs: readonly string[]): string[] =>
  configs.flatMap((config) => ["-c", config]);

/** Returns the worker of a name; throws if there is none. */
export const workerNamed = (name: string): WorkerConfig => {
  const worker = workers.find((candidate) => candidate.name === name);
  if (!worker)
    throw new Error(
      `No worker is named "${name}"; the workers are ${workers.map((each) => each.name).join(", ")}.`,
    );
  return worker;
};
