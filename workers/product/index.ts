import { consumeCatalog } from "./catalog-consumer.ts";

export { ProductService } from "./service.ts";

/** This worker has no public door; it answers RPC and consumes its queue. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  queue: consumeCatalog,
} satisfies ExportedHandler<ProductEnv>;
