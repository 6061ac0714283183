/** Bytes that one call takes as arguments; a call with too many arguments fails. */
const bytesPerCall = 32_768;

/** Returns bytes as base64url text without padding (RFC 4648, section 5). */
export function base64urlOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += bytesPerCall)
    text += String.fromCharCode(...bytes.subarray(at, at + bytesPerCall));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Returns the bytes of base64url text without padding. Throws if the text has another format. */
export const bytesOfBase64url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
