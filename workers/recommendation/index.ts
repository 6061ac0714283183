import { errorText } from "../shared/observability/error-text.ts";
import { Confirmations } from "./confirmations.ts";
import { queue } from "./queue.ts";

export { UserSession } from "../../durable-objects/user-session.ts";
export { RecommendationService } from "./service.ts";

/** This worker has no public door; it answers RPC and consumes its queues. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  async queue(batch, env) {
    const confirmations = new Confirmations(env.USER_SESSION);
    await queue(batch, env, confirmations);
    // Who does not hear of it sends their rows again, which bring nothing new.
    await confirmations
      .tell()
      .catch((error: unknown) => console.error({ event: "rows not confirmed", error: errorText(error) }));
  },
} satisfies ExportedHandler<RecommendationEnv>;
