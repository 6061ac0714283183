import { base64urlOf, bytesOfBase64url } from "../encoding/base64url.ts";
import type { WebCryptoKey } from "./pseudonym-keys.ts";

const nonceBytes = 12;
const tagBytes = 16;
/** Bytes that sealing adds. */
export const sealBytes = nonceBytes + tagBytes;

const algorithmOf = (purpose: string, nonce: Uint8Array<ArrayBuffer>) => ({
  name: "AES-GCM",
  iv: nonce,
  additionalData: new TextEncoder().encode(purpose),
  tagLength: tagBytes * 8,
});

/** Returns bytes as base64url text that nobody without the key can read or change. `purpose` is what they are for. */
export async function seal(
  key: WebCryptoKey,
  purpose: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithmOf(purpose, nonce), key, bytes));
  const all = new Uint8Array(nonceBytes + sealed.byteLength);
  all.set(nonce);
  all.set(sealed, nonceBytes);
  return base64urlOf(all);
}

/** Returns the bytes that {@link seal} sealed with the key for a purpose; null for any other base64url text. */
export async function unseal(
  key: WebCryptoKey,
  purpose: string,
  text: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = bytesOfBase64url(text);
  if (bytes.byteLength < sealBytes) return null;
  try {
    const opened = await crypto.subtle.decrypt(
      algorithmOf(purpose, bytes.slice(0, nonceBytes)),
      key,
      bytes.slice(nonceBytes),
    );
    return new Uint8Array(opened);
  } catch (error) {
    // The tag does not match.
    if (error instanceof DOMException && error.name === "OperationError") return null;
    throw error;
  }
}
