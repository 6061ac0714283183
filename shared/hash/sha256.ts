import { hexOf } from "../encoding/hex.ts";

/** Returns the SHA-256 of bytes in lowercase hex. */
export const sha256Hex = async (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> =>
  hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

/** Returns the SHA-256 of a text's UTF-8 bytes in lowercase hex. */
export const sha256OfText = (text: string): Promise<string> =>
  sha256Hex(new Uint8Array(new TextEncoder().encode(text)));
