import { Cell as RealCell } from "../../durable-objects/cell.ts";
import { UserSession as RealSession } from "../../durable-objects/user-session.ts";
import { faults, queues } from "./ports.ts";

/** A person's object whose queues are the test's. */
export class UserSession extends RealSession {
  constructor(ctx: DurableObjectState, env: RecommendationEnv) {
    super(ctx, { ...env, INTERACTIONS: queues.interactions, LOCATIONS: queues.locations });
  }
}

/** A cell whose tiles meet the test's faults. */
export class Cell extends RealCell {
  constructor(ctx: DurableObjectState, env: LocationEnv) {
    super(ctx, { ...env, TILES: faults.around("tiles", env.TILES, ["put", "get"]) });
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
