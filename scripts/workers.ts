import { join } from "node:path";

/** The project's folder. */
export const root = join(import.meta.dirname, "..");

/** A worker of the house; the gateway is first, the only one with public routes. */
export interface WorkerPlace {
  name: string;
  /** Wrangler configuration, relative to the root. */
  config: string;
  /** Its D1 database, if it owns one. */
  database: string | null;
  /** Name of its generated environment type. */
  envInterface: string;
  /** Workers that it calls, whose types its bindings need. */
  calls: string[];
}

export const workers: WorkerPlace[] = [
  {
    name: "gateway",
    config: "wrangler.toml",
    database: "vicinity-gateway",
    envInterface: "GatewayEnv",
    calls: ["recommendation", "user", "product", "location", "trainer"],
  },
  {
    name: "recommendation",
    config: "workers/recommendation/wrangler.toml",
    database: "vicinity-recommendation",
    envInterface: "RecommendationEnv",
    calls: ["user", "product", "location"],
  },
  {
    name: "user",
    config: "workers/user/wrangler.toml",
    database: "vicinity-user",
    envInterface: "UserEnv",
    calls: [],
  },
  {
    name: "product",
    config: "workers/product/wrangler.toml",
    database: "vicinity-product",
    envInterface: "ProductEnv",
    calls: ["location"],
  },
  {
    name: "location",
    config: "workers/location/wrangler.toml",
    database: "vicinity-location",
    envInterface: "LocationEnv",
    calls: [],
  },
  {
    name: "trainer",
    config: "workers/trainer/wrangler.toml",
    database: null,
    envInterface: "TrainerEnv",
    calls: ["recommendation", "user"],
  },
];

/** Configuration of the worker that has the static pages, and no code. */
export const pagesConfig = "workers/pages/wrangler.toml";

/** Configurations of all that is served together, the gateway's first. */
export const servedConfigs: readonly string[] = [...workers.map(({ config }) => config), pagesConfig];

/** `-c` for each configuration. */
export const configArguments = (configs: readonly string[]): string[] =>
  configs.flatMap((config) => ["-c", config]);

export const placeOf = (name: string): WorkerPlace => {
  const place = workers.find((each) => each.name === name);
  if (!place) throw new Error(`no worker is named ${name}`);
  return place;
};
