import { UserSession as RealSession } from "../../durable-objects/user-session/user-session.ts";
import { sentMessages, servicesOfObjects } from "./all-workers.ts";

export { Cell } from "../../durable-objects/cell/cell.ts";

/** A user's Durable Object that sends to the queues of the test and calls the services of the test. */
export class UserSession extends RealSession {
  constructor(ctx: DurableObjectState, env: UserSessionEnv) {
    super(ctx, {
      ...env,
      ...servicesOfObjects(),
      DEFAULT_CONSENT: "exact" as never,
      INTERACTIONS: sentMessages.queue("vicinity-interactions"),
      LOCATIONS: sentMessages.queue("vicinity-locations"),
    });
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
