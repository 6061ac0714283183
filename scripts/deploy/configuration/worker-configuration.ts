import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Unstable_RawConfig as RawConfig, experimental_readRawConfig as readToml } from "wrangler";
import { root } from "../../workers.ts";
import type { Environment } from "./environment.ts";
import { type ClassTransfer, type DeployedWorker, namespaceNames } from "./worker-list.ts";

/** What a configuration needs to know of the account. */
export interface AccountIds {
  /** Ids of D1 databases by name, with the suffix of the environment. */
  databases: ReadonlyMap<string, string>;
  /** Ids of KV namespaces by name, with the suffix of the environment. */
  namespaces: ReadonlyMap<string, string>;
}

/** Where a class of a worker comes from, for its first deployment; empty if the worker begins without objects. */
export type ExpectedTransfers = readonly ClassTransfer[];

/** Returns the content of a worker's wrangler.toml. */
export const readWorker = ({ config }: DeployedWorker): RawConfig =>
  readToml({ config: join(root, config) }).rawConfig;

/** Returns the name that a KV namespace has in an environment. Throws if the id has no name. */
export function namespaceName(environment: Environment, placeholder: string | undefined): string {
  const name = namespaceNames[placeholder ?? ""];
  if (name === undefined)
    throw new Error(
      `The KV namespace ${placeholder} has no name: add it to scripts/deploy/configuration/worker-list.ts.`,
    );
  return name + environment.suffix;
}

const optional = <T>(value: T | undefined, of: (value: T) => object): object =>
  value === undefined ? {} : of(value);

/** Replaces classes that are new to the worker by classes that it takes over from other workers. */
function migrationsOf(
  raw: RawConfig,
  { suffix }: Environment,
  transfers: ExpectedTransfers,
): RawConfig["migrations"] {
  return raw.migrations?.map(({ new_sqlite_classes = [], ...step }) => {
    const moved = transfers.filter(({ className }) => new_sqlite_classes.includes(className));
    const rest = new_sqlite_classes.filter((name) => moved.every(({ className }) => className !== name));
    return {
      ...step,
      ...(rest.length > 0 ? { new_sqlite_classes: rest } : {}),
      ...(moved.length > 0
        ? {
            transferred_classes: moved.map(({ className, from }) => ({
              from: className,
              from_script: `vicinity-${from}${suffix}`,
              to: className,
            })),
          }
        : {}),
    };
  });
}

/**
 * Returns a worker's configuration for an environment: its wrangler.toml with the names, ids and settings of the
 * environment. Only the gateway has public addresses. A database or namespace that the account does not have yet keeps
 * the id of the wrangler.toml.
 */
export function configurationFor(
  { name: worker }: Pick<DeployedWorker, "name">,
  raw: RawConfig,
  environment: Environment,
  ids: AccountIds,
  transfers: ExpectedTransfers = [],
): RawConfig & { name: string } {
  const { suffix, jurisdiction, gateway, rate_limit_offset } = environment;
  const named = <T extends string | undefined>(text: T): T =>
    (text === undefined ? text : `${text}${suffix}`) as T;
  const settings = environment.workers[worker];
  const bindsObjects = (raw.durable_objects?.bindings ?? []).length > 0;
  const vars = {
    ...raw.vars,
    ...(jurisdiction !== undefined && bindsObjects ? { JURISDICTION: jurisdiction } : {}),
    ...settings?.vars,
  };
  const { $schema: _schema, ...rest } = raw;
  return {
    ...rest,
    name: `${raw.name}${suffix}`,
    ...(environment.account_id === undefined ? {} : { account_id: environment.account_id }),
    workers_dev: worker === "gateway" && gateway.workers_dev,
    preview_urls: false,
    ...(worker === "gateway" && gateway.routes.length > 0 ? { routes: gateway.routes } : {}),
    ...(settings?.placement === undefined ? {} : { placement: settings.placement as RawConfig["placement"] }),
    ...(Object.keys(vars).length > 0 ? { vars } : {}),
    ...optional(raw.d1_databases, (list) => ({
      d1_databases: list.map((each) => ({
        ...each,
        database_name: named(each.database_name),
        database_id: ids.databases.get(`${each.database_name}${suffix}`) ?? each.database_id,
      })),
    })),
    ...optional(raw.kv_namespaces, (list) => ({
      kv_namespaces: list.map((each) => ({
        ...each,
        id: ids.namespaces.get(namespaceName(environment, each.id)) ?? each.id,
      })),
    })),
    ...optional(raw.r2_buckets, (list) => ({
      r2_buckets: list.map((each) => ({
        ...each,
        bucket_name: named(each.bucket_name),
        ...(jurisdiction === undefined ? {} : { jurisdiction }),
      })),
    })),
    ...optional(raw.queues, ({ producers, consumers }) => ({
      queues: {
        ...optional(producers, (list) => ({
          producers: list.map((each) => ({ ...each, queue: named(each.queue) })),
        })),
        ...optional(consumers, (list) => ({
          consumers: list.map((each) => ({
            ...each,
            queue: named(each.queue),
            ...optional(each.dead_letter_queue, (queue) => ({ dead_letter_queue: named(queue) })),
          })),
        })),
      },
    })),
    ...optional(raw.services, (list) => ({
      services: list.map((each) => ({ ...each, service: named(each.service) })),
    })),
    ...optional(raw.durable_objects, ({ bindings, ...others }) => ({
      durable_objects: {
        ...others,
        bindings: (bindings ?? []).map((each) => ({
          ...each,
          ...optional(each.script_name, (script) => ({ script_name: named(script) })),
        })),
      },
    })),
    ...optional(raw.migrations, () => ({ migrations: migrationsOf(raw, environment, transfers) })),
    ...optional(raw.workflows, (list) => ({
      workflows: list.map((each) => ({
        ...each,
        name: named(each.name),
        ...optional(each.script_name, (script) => ({ script_name: named(script) })),
        ...(jurisdiction === undefined ? {} : { jurisdiction }),
      })),
    })),
    ...optional(raw.analytics_engine_datasets, (list) => ({
      analytics_engine_datasets: list.map((each) => ({
        ...each,
        ...optional(each.dataset, (dataset) => ({ dataset: `${dataset}${suffix.replaceAll("-", "_")}` })),
      })),
    })),
    ...optional(raw.ratelimits, (list) => ({
      ratelimits: list.map((each) => ({
        ...each,
        namespace_id: String(Number(each.namespace_id) + rate_limit_offset),
      })),
    })),
  };
}

/**
 * Writes a configuration into the folder of the worker's wrangler.toml, so that relative paths stay valid, and returns
 * the file's path.
 */
export function writeConfiguration(
  worker: DeployedWorker,
  environment: Environment,
  configuration: RawConfig,
): string {
  const file = join(root, dirname(worker.config), `wrangler.deploy.${worker.name}.${environment.name}.json`);
  const text = `${JSON.stringify(configuration, null, 2)}\n`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
  return file;
}
