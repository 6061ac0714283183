import { Cell as RealCell } from "../../durable-objects/cell.ts";
import { UserSession as RealSession } from "../../durable-objects/user-session.ts";
import { faults, queues } from "./fault-injector.ts";

/** A user's Durable Object that sends to the queues of the test. */
export class UserSession extends RealSession {
  constructor(ctx: DurableObjectState, env: RecommendationEnv) {
    super(ctx, { ...env, INTERACTIONS: queues.interactions, LOCATIONS: queues.locations });
  }
}

/** A cell whose tile reads and writes may fail. */
export class Cell extends RealCell {
  constructor(ctx: DurableObjectState, env: LocationEnv) {
    super(ctx, { ...env, TILES: faults.wrap("tiles", env.TILES, ["put", "get"]) });
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
