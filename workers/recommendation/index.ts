import { Confirmations } from "./confirmations.ts";
import { queue } from "./queue.ts";

export { UserSession } from "../../durable-objects/user-session.ts";
export { RecommendationService } from "./service.ts";

/** Of this isolate, which serves one environment. */
let confirmations: Confirmations | undefined;

/** This worker has no public door; it answers RPC and consumes its queues. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  async queue(batch, env, context) {
    confirmations ??= new Confirmations(env.USER_SESSION);
    await queue(batch, env, confirmations);
    context.waitUntil(confirmations.tellLater());
  },
} satisfies ExportedHandler<RecommendationEnv>;
