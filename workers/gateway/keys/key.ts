const prefix = "vic_";
/** 43 characters of base64url hold 32 bytes. */
const keyFormat = /^vic_[A-Za-z0-9_-]{43}$/;

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Returns the API key for 32 random bytes: `vic_` and 43 characters of base64url. */
export const encodeKey = (random: Uint8Array): string => prefix + base64url(random);

/** Returns whether a text has the format of an API key, so that other texts cost no look-up. */
export const hasKeyFormat = (text: string): boolean => keyFormat.test(text);

/** Returns the SHA-256 of a key, in lower-case hex. */
export async function hashKey(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** Returns whether two hashes are equal, in a time that does not depend on where they differ. */
export function hashesEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
