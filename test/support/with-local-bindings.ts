import { join } from "node:path";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { getPlatformProxy } from "wrangler";
import { workerNamed } from "../../scripts/workers.ts";

interface LocalBindings {
  DB: D1Database;
  TRAINING_LOG: R2Bucket;
}

const root = join(import.meta.dirname, "../..");

/** Runs `use` with the bindings of a worker over local state. No other process may use the state meanwhile. */
export async function withLocalBindings<T>(
  worker: string,
  stateDir: string,
  use: (bindings: LocalBindings) => Promise<T>,
): Promise<T> {
  const { env, dispose } = await getPlatformProxy<LocalBindings>({
    configPath: join(root, workerNamed(worker).config),
    persist: { path: join(stateDir, "v3") },
    remoteBindings: false,
  });
  try {
    return await use(env);
  } finally {
    await dispose();
  }
}
