import { unstable_readConfig as readConfig } from "wrangler";
import * as z from "zod";

/** The parts of a worker's configuration that refer to resources of the account. */
const configuration = z.object({
  name: z.string(),
  d1_databases: z.array(z.object({ database_id: z.string(), database_name: z.string() })),
  kv_namespaces: z.array(z.object({ id: z.string(), binding: z.string() })),
  r2_buckets: z.array(z.object({ bucket_name: z.string() })),
  queues: z.object({
    producers: z.array(z.object({ queue: z.string() })).default([]),
    consumers: z.array(z.object({ queue: z.string(), dead_letter_queue: z.string().optional() })).default([]),
  }),
  secrets: z.object({ required: z.array(z.string()).default([]) }).optional(),
});

/** Resources of the account that a worker's configuration refers to. */
export interface Resources {
  /** D1 databases and KV namespaces, with the placeholder id that stands for them in the configuration. */
  databases: { placeholder: string; name: string }[];
  namespaces: { placeholder: string; name: string }[];
  buckets: string[];
  queues: string[];
  /** Names of the secrets without which the worker is not deployed. */
  secrets: string[];
}

/** The worker after which a KV namespace is named that several workers bind, by binding. */
const namespaceOwners: Readonly<Record<string, string>> = { TILES: "vicinity-location" };

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/**
 * Reads the resources that a worker's configuration refers to. A KV namespace is named after its binding and the worker
 * that owns it.
 */
export function readResources(configFile: string): Resources {
  const config = configuration.parse(readConfig({ config: configFile }));
  return {
    databases: config.d1_databases.map(({ database_id, database_name }) => ({
      placeholder: database_id,
      name: database_name,
    })),
    namespaces: config.kv_namespaces.map(({ id, binding }) => ({
      placeholder: id,
      name: `${namespaceOwners[binding] ?? config.name}-${binding.toLowerCase()}`,
    })),
    buckets: config.r2_buckets.map(({ bucket_name }) => bucket_name),
    queues: unique([
      ...config.queues.producers.map(({ queue }) => queue),
      ...config.queues.consumers.flatMap(({ queue, dead_letter_queue }) =>
        dead_letter_queue ? [queue, dead_letter_queue] : [queue],
      ),
    ]),
    secrets: config.secrets?.required ?? [],
  };
}
