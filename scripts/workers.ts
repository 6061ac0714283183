import { join } from "node:path";

/** The project's folder. */
export const root = join(import.meta.dirname, "..");

/** A worker of the house; the gateway is first, the only one with public routes. */
export interface WorkerConfig {
  name: string;
  /** Wrangler configuration, relative to the root. */
  config: string;
  /** Its D1 database, if it owns one. */
  database: string | null;
  /** Name of its generated environment type. */
  envInterface: string;
  /** Workers that it calls, whose types its bindings need. */
  callees: string[];
}

export const workers: WorkerConfig[] = [
  {
    name: "gateway",
    config: "wrangler.toml",
    database: "vicinity-gateway",
    envInterface: "GatewayEnv",
    callees: ["recommendation", "user", "product", "location", "trainer"],
  },
  {
    name: "recommendation",
    config: "workers/recommendation/wrangler.toml",
    database: "vicinity-recommendation",
    envInterface: "RecommendationEnv",
    callees: ["user", "product", "location"],
  },
  {
    name: "user",
    config: "workers/user/wrangler.toml",
    database: "vicinity-user",
    envInterface: "UserEnv",
    callees: [],
  },
  {
    name: "product",
    config: "workers/product/wrangler.toml",
    database: "vicinity-product",
    envInterface: "ProductEnv",
    callees: ["location"],
  },
  {
    name: "location",
    config: "workers/location/wrangler.toml",
    database: "vicinity-location",
    envInterface: "LocationEnv",
    callees: [],
  },
  {
    name: "trainer",
    config: "workers/trainer/wrangler.toml",
    database: null,
    envInterface: "TrainerEnv",
    callees: ["recommendation", "user"],
  },
];

/** Configuration of the worker that has the static pages, and no code. */
export const pagesConfig = "workers/pages/wrangler.toml";

/** Configurations of all that is served together, the gateway's first. */
export const servedConfigs: readonly string[] = [...workers.map(({ config }) => config), pagesConfig];

/** `-c` for each configuration. */
export const configArguments = (configs: readonly string[]): string[] =>
  configs.flatMap((config) => ["-c", config]);

export const workerNamed = (name: string): WorkerConfig => {
  const place = workers.find((each) => each.name === name);
  if (!place) throw new Error(`no worker is named ${name}`);
  return place;
};
