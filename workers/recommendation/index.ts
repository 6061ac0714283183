import { queue } from "./ingest/queue.ts";

export { UserSession } from "../../durable-objects/user-session.ts";
export { RecommendationService } from "./service.ts";

/** This worker has no public door; it answers RPC and consumes its queues. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  queue,
} satisfies ExportedHandler<RecommendationEnv>;
