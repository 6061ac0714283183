import { consumeAndConfirm } from "./ingest/queue.ts";

export { RecommendationService } from "./service.ts";

/** The worker serves RPC and queues only: every public HTTP request gets 404. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  queue: consumeAndConfirm,
} satisfies ExportedHandler<RecommendationEnv>;
