import type { UserSession } from "../../durable-objects/user-session/user-session.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { openObjectId, type SealedIdScope, sealObjectId } from "../../shared/pseudonyms/sealed-object-id.ts";

/** Returns a new id that names a user object to this service alone. */
export const sealedIdOf = async (
  env: RecommendationEnv,
  scope: SealedIdScope,
  session: DurableObjectStub<UserSession>,
): Promise<string> => sealObjectId(await pseudonymKeysOf(env), scope, session.id.toString());

/**
 * Calls the user object that a sealed id names. Returns null, and wakes no object, if the id was not sealed for this
 * application and kind.
 */
export async function askSealedObject<T>(
  env: RecommendationEnv,
  scope: SealedIdScope,
  id: string,
  call: (session: DurableObjectStub<UserSession>) => Promise<T | null>,
): Promise<T | null> {
  const objectId = await openObjectId(await pseudonymKeysOf(env), scope, id);
  if (objectId === null) return null;
  return call(env.USER_SESSION.get(env.USER_SESSION.idFromString(objectId)));
}
