import { base64urlOf } from "../../../shared/encoding/base64url.ts";

/**
 * Returns a new `recommendationId`: the user object's id (32 bytes) and 9 random bytes, base64url. The id leads to the
 * object that holds the receipt, and reveals nothing about the user.
 */
export function newRecommendationId(objectId: string): string {
  const random = crypto.getRandomValues(new Uint8Array(9));
  return `${base64urlOf(fromHex(objectId))}.${base64urlOf(random)}`;
}

/** Returns the user object's id in hexadecimal; null for text that is not a recommendation id. */
export function objectIdOf(recommendationId: string): string | null {
  const match = /^([A-Za-z0-9_-]{43})\.[A-Za-z0-9_-]{12}$/.exec(recommendationId);
  if (!match) return null;
  const text = atob(`${match[1].replaceAll("-", "+").replaceAll("_", "/")}=`);
  return [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
