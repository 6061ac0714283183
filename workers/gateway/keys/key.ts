import { base64urlOf } from "../../../shared/encoding/base64url.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";

const prefix = "vic_";
/** 43 characters of base64url hold 32 bytes. */
const keyFormat = /^vic_[A-Za-z0-9_-]{43}$/;

/** Returns the API key for 32 random bytes: `vic_` and 43 characters of base64url. */
export const encodeKey = (random: Uint8Array): string => prefix + base64urlOf(random);

/** Returns whether a text has the format of an API key, so that other texts cost no look-up. */
export const hasKeyFormat = (text: string): boolean => keyFormat.test(text);

/** Returns the SHA-256 of a key, in lower-case hex. */
export const hashKey = (text: string): Promise<string> => sha256OfText(text);

/** Returns whether two hashes are equal, in a time that does not depend on where they differ. */
export function hashesEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
