import type { Point } from "../../shared/contracts/primitives.ts";
import { locationHint } from "../../shared/geo/location-hint.ts";
import { inJurisdiction } from "../in-jurisdiction.ts";

/**
 * Returns the stub of a user's Durable Object. The object's id, a hash of application and user id, is the user's
 * pseudonym. The stub addresses the object by id: the platform would store the name of an object that is addressed by
 * name, but no trace of the user id may remain after an erasure.
 */
export function userSessionStub<UserSession extends Rpc.DurableObjectBranded>(
  sessions: DurableObjectNamespace<UserSession>,
  application: string,
  userId: string,
  near: Point | null,
): DurableObjectStub<UserSession> {
  const named = inJurisdiction(sessions).idFromName(`${application}:${userId}`);
  const id = sessions.idFromString(named.toString());
  return sessions.get(id, near ? { locationHint: locationHint(near) } : {});
}
