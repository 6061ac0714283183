import type { Unstable_RawConfig as RawConfig } from "wrangler";
import type { Environment } from "../configuration/environment.ts";
import { namespaceName } from "../configuration/worker-configuration.ts";
import type { DeployedWorker } from "../configuration/worker-list.ts";

/** Name of the database in which deployments are recorded, without the suffix of the environment. */
export const recordDatabase = "vicinity-deployments";

/** A D1 database, and where the migrations of its schema are. */
export interface DatabaseResource {
  name: string;
  /** Folder of the migrations, relative to the configuration; null for a database whose tables are made otherwise. */
  migrations: string | null;
  /** Worker whose configuration names the database; null for the record of deployments. */
  worker: string | null;
}

/** Resources of an account that the configurations of an environment refer to, each once. */
export interface Resources {
  databases: DatabaseResource[];
  namespaces: string[];
  buckets: string[];
  queues: string[];
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** A worker of an environment: where it is, its wrangler.toml, and its configuration for the environment. */
export interface ConfiguredWorker extends DeployedWorker {
  raw: RawConfig;
  configuration: RawConfig & { name: string };
}

/** Returns all resources that workers refer to, and the database in which deployments are recorded. */
export function resourcesOf(workers: readonly ConfiguredWorker[], environment: Environment): Resources {
  const databases = new Map<string, DatabaseResource>();
  for (const { name: worker, configuration } of workers)
    for (const { database_name, migrations_dir } of configuration.d1_databases ?? []) {
      const name = database_name as string;
      if (!databases.has(name)) databases.set(name, { name, migrations: migrations_dir ?? null, worker });
    }
  const record = { name: recordDatabase + environment.suffix, migrations: null, worker: null };
  return {
    databases: [record, ...databases.values()],
    namespaces: unique(
      workers.flatMap(({ raw }) => (raw.kv_namespaces ?? []).map(({ id }) => namespaceName(environment, id))),
    ),
    buckets: unique(
      workers.flatMap(({ configuration }) =>
        (configuration.r2_buckets ?? []).map(({ bucket_name }) => bucket_name as string),
      ),
    ),
    queues: unique(
      workers.flatMap(({ configuration: { queues } }) => [
        ...(queues?.producers ?? []).map(({ queue }) => queue as string),
        ...(queues?.consumers ?? []).flatMap(({ queue, dead_letter_queue }) => [
          queue,
          dead_letter_queue ?? queue,
        ]),
      ]),
    ),
  };
}
