import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { z } from "zod";
import { workers } from "../../scripts/workers.ts";
import { projectWithObjects } from "../support/project-with-objects.ts";

const root = join(import.meta.dirname, "../..");
const configuration = z.object({
  queues: z.object({
    consumers: z.array(z.object({ queue: z.string(), max_batch_size: z.number().optional() })).default([]),
  }),
});
/** Messages of the largest batch of each queue, as the configurations of the workers say. */
const batchSizes = Object.fromEntries(
  workers.flatMap(({ config }) =>
    configuration
      .parse(readConfig({ config: join(root, config) }))
      .queues.consumers.map((consumer) => [consumer.queue, consumer.max_batch_size]),
  ),
);

/** Tests that count the calls of requests, cron triggers and queue batches over all workers, which run in one isolate. */
export default projectWithObjects({
  name: "calls",
  d1Databases: [...["GATEWAY_DB", "RECOMMENDATION_DB", "USER_DB", "PRODUCT_DB", "LOCATION_DB", "TRAINER_DB"]],
  kvNamespaces: ["TILES", "CARDS", "KEYS"],
  r2Buckets: ["TRAINING_LOG", "DEAD_LETTERS", "MODELS", "IMAGES"],
  migrations: {
    GATEWAY_MIGRATIONS: "gateway",
    RECOMMENDATION_MIGRATIONS: "recommendation",
    USER_MIGRATIONS: "user",
    PRODUCT_MIGRATIONS: "product",
    LOCATION_MIGRATIONS: "location",
    TRAINER_MIGRATIONS: "trainer",
  },
  variables: { BATCH_SIZES: JSON.stringify(batchSizes) },
  timeoutMs: 240_000,
});
