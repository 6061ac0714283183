/** Returns the SHA-256 of bytes in lowercase hex. */
export async function sha256Hex(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the SHA-256 of a text's UTF-8 bytes in lowercase hex. */
export const sha256OfText = (text: string): Promise<string> =>
  sha256Hex(new Uint8Array(new TextEncoder().encode(text)));
