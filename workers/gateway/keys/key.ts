import type { KeyRole } from "../../../shared/contracts/credential.ts";
import { crc32 } from "../../../shared/hash/crc32.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";

// Base62 has no `-` and no `_`, so that a double-click selects the whole random part.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 43 characters of base62 hold 256 bits. */
const randomCharacters = 43;
/** 6 characters of base62 hold the 32 bits of a CRC-32. */
const checkSumCharacters = 6;
/** Bytes from this value on are discarded, so that every character is equally likely: 248 is 4 times 62. */
const byteLimit = 248;

/** Begins of keys by role. They tell the kinds apart, also for scanners that look for leaked keys. */
const prefixes: Record<KeyRole, string> = {
  admin: "vic_admin_",
  server: "vic_server_",
  publishable: "vic_pub_",
};

/** Matches a key of any role. The guide `docs/guides/credentials.md` gives it to scanners of leaked keys. */
export const keyPattern = /^vic_(?:admin|server|pub)_[0-9A-Za-z]{49}$/;

/** Returns `count` random bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/** Returns random bytes of the runtime's cryptographic generator. */
export const cryptoBytes: RandomBytes = (count) => crypto.getRandomValues(new Uint8Array(count));

/** Returns the check sum of a key's other characters: their CRC-32 as 6 characters of base62. */
function checkSumOf(text: string): string {
  let rest = crc32(new TextEncoder().encode(text));
  let checkSum = "";
  for (let i = 0; i < checkSumCharacters; i++) {
    checkSum = alphabet[rest % alphabet.length] + checkSum;
    rest = Math.floor(rest / alphabet.length);
  }
  return checkSum;
}

/** Returns a new key: the prefix of its role, 43 random characters, and a check sum of 6. */
export function generateKey(role: KeyRole, randomBytes: RandomBytes = cryptoBytes): string {
  let text = prefixes[role];
  const length = text.length + randomCharacters;
  while (text.length < length)
    for (const byte of randomBytes(randomCharacters))
      if (byte < byteLimit && text.length < length) text += alphabet[byte % alphabet.length];
  return text + checkSumOf(text);
}

/** Returns whether a text begins as a key does, so that it can be no token. */
export const looksLikeKey = (text: string): boolean => text.startsWith("vic_");

/** Returns whether a text has the format of a key and the right check sum. Other texts cost no look-up. */
export const isWellFormedKey = (text: string): boolean =>
  keyPattern.test(text) && checkSumOf(text.slice(0, -checkSumCharacters)) === text.slice(-checkSumCharacters);

/** Returns the SHA-256 of a key, in lower-case hex. */
export const hashKey = (text: string): Promise<string> => sha256OfText(text);

/** Returns whether two hashes are equal, in a time that does not depend on where they differ. */
export function hashesEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
