import { base64urlOf } from "../../../shared/encoding/base64url.ts";
import type { TokenSecret } from "./token-secrets.ts";

/** Seconds after which an anonymous session can no longer be renewed: 90 days. */
export const maxSessionSeconds = 90 * 86_400;
const hashBytes = 16;

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)));
}

/**
 * Returns the keyed hash of a client's network in an application: 22 characters of base64url. Nobody without the token
 * secret can compute it, and it differs between applications. The key is derived, so that the secret itself signs tokens
 * only.
 */
export async function hashNetwork(
  secret: TokenSecret,
  application: string,
  network: string,
): Promise<string> {
  const key = await hmac(secret.bytes, "vicinity: networks of sessions");
  return base64urlOf((await hmac(key, `${application}\n${network}`)).subarray(0, hashBytes));
}

/**
 * Returns when a new token expires, in seconds since the Unix epoch: after `ttlSeconds`, but never later than its key or
 * its session ends. Null stands for no end.
 */
export const tokenExpiry = (now: number, ttlSeconds: number, ends: readonly (number | null)[]): number =>
  Math.min(Math.floor(now) + ttlSeconds, ...ends.map((end) => end ?? Number.POSITIVE_INFINITY));
