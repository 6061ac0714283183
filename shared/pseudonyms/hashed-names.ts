import { hexOf } from "../encoding/hex.ts";
import type { PseudonymKeys, WebCryptoKey } from "./pseudonym-keys.ts";

/** Hexadecimal digits of the names of recommendations and events: 128 bits. */
const nameDigits = 32;

async function hmac(key: WebCryptoKey, parts: readonly string[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(parts));
  return hexOf(new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes)));
}

/**
 * Returns the name of a user in the training log: 64 hexadecimal digits, a keyed hash of the id of the user's object.
 * Without the key it leads neither to the object nor to an id that a client received.
 */
export const logPseudonymOf = ({ logUser }: PseudonymKeys, objectId: string): Promise<string> =>
  hmac(logUser, [objectId]);

/** Returns the name of a recommendation in the training log: 32 hexadecimal digits. */
export const logRecommendationOf = async (
  { logRecommendation }: PseudonymKeys,
  application: string,
  recommendationId: string,
): Promise<string> => (await hmac(logRecommendation, [application, recommendationId])).slice(0, nameDigits);

/** Returns the name of a user's event in the training log: 32 hexadecimal digits. The client chose the event's id. */
export const logEventOf = async (
  { logEvent }: PseudonymKeys,
  objectId: string,
  eventId: string,
): Promise<string> => (await hmac(logEvent, [objectId, eventId])).slice(0, nameDigits);

/**
 * Returns the name of a user for the keys by which a cell counts a user once: 64 hexadecimal digits. Cells keep short
 * hashes of it, from which nobody can confirm a guess of a user without the key.
 */
export const cellPseudonymOf = ({ cellUser }: PseudonymKeys, objectId: string): Promise<string> =>
  hmac(cellUser, [objectId]);
