import { UserSession as RealSession } from "../../durable-objects/user-session/user-session.ts";
import { sentMessages } from "./sent-messages.ts";

export { Cell } from "../../durable-objects/cell/cell.ts";

/** A user's Durable Object that sends its messages to the test. */
export class UserSession extends RealSession {
  constructor(ctx: DurableObjectState, env: UserSessionEnv) {
    super(ctx, { ...env, INTERACTIONS: sentMessages.queue, LOCATIONS: sentMessages.dropped });
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
