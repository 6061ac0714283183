import { consumeCatalog } from "./catalog-consumer.ts";

export { ProductService } from "./service.ts";

/** The worker has no public HTTP endpoint; it serves RPC and consumes its queues. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  queue: consumeCatalog,
} satisfies ExportedHandler<ProductEnv>;
