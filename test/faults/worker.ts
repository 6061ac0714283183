import { createExecutionContext } from "cloudflare:test";
import { Cell as RealCell } from "../../durable-objects/cell/cell.ts";
import { UserSession as RealSession } from "../../durable-objects/user-session/user-session.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { ok } from "../../shared/contracts/result.ts";
import { coarsenToCity } from "../../shared/geo/coarsen.ts";
import { UserService } from "../../workers/user/service.ts";
import { defaultOfObjects, faults, queues } from "./fault-injector.ts";

/** A user's Durable Object that sends to the queues of the test. */
export class UserSession extends RealSession {
  constructor(ctx: DurableObjectState, env: UserSessionEnv) {
    super(ctx, {
      ...env,
      INTERACTIONS: queues.interactions,
      LOCATIONS: queues.locations,
      DEFAULT_CONSENT: defaultOfObjects.consent as never,
      ...servicesOfObjects(env),
    });
  }
}

/** The calls of one user's object to another's. */
const objectCalls = [
  ...["prepareMerge", "mergeTarget", "stageMerge", "commitMerge", "cancelMerge", "finishMerge"],
  ...["setUserSettings", "eraseMerged"],
];

/** Returns the methods of another user's object that a user's object calls. Each call may fail. */
function faultyObject(object: object) {
  // A method of a stub has no `apply`, so it is called by its name.
  const methods = object as Record<string, (...args: unknown[]) => unknown>;
  return Object.fromEntries(
    objectCalls.map((name) => [
      name,
      (...args: unknown[]) => faults.run("session", () => methods[name](...args)),
    ]),
  );
}

/** Returns the services that a user's object calls: real ones, whose calls may fail. */
function servicesOfObjects(env: UserSessionEnv): Partial<UserSessionEnv> {
  const { DB, DB_1, REGISTRY } = env as unknown as Record<string, D1Database>;
  const databases = { DB, DB_1, DEFAULT_CONSENT: defaultOfObjects.consent };
  const user = new UserService(createExecutionContext(), databases as unknown as UserEnv);
  const sessions = env.USER_SESSION as DurableObjectNamespace<UserSession>;
  const faultySessions = {
    get: (id: DurableObjectId) => faultyObject(sessions.get(id)),
    idFromString: (id: string) => sessions.idFromString(id),
  };
  return {
    USER: faults.wrap("userService", user, [
      ...(["closeMergedGeneration", "readHistory", "insertHistory", "readVisits", "adoptProfile"] as const),
      ...(["recordLocations", "eraseRecords", "getSettings", "replaceLocations", "get", "patch"] as const),
    ]),
    LOCATION: faults.wrap(
      "locationService",
      {
        coarsen: async (point: Point) => ok({ point: coarsenToCity(point), place: null }),
        coarsenPoints: async (points: Point[]) => ok(points.map(coarsenToCity)),
      },
      ["coarsen", "coarsenPoints"],
    ),
    TRAINING_LOG: faults.wrap("trainingLog", env.TRAINING_LOG, ["list", "get", "put", "delete"]),
    DEAD_LETTERS: faults.wrap("deadLetters", env.DEAD_LETTERS, ["list", "get", "put", "delete"]),
    DB: REGISTRY,
    USER_SESSION: faultySessions,
  } as unknown as Partial<UserSessionEnv>;
}

/** A cell whose tile reads and writes may fail. */
export class Cell extends RealCell {
  constructor(ctx: DurableObjectState, env: CellEnv) {
    super(ctx, { ...env, TILES: faults.wrap("tiles", env.TILES, ["put", "get"]) });
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler;
