const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Returns the smallest second byte and the number of bytes of a character by its first byte; null for no first byte. */
function sequenceOf(first: number): { length: number; from: number; to: number } | null {
  if (first < 0x80) return { length: 1, from: 0, to: 0 };
  if (first < 0xc2 || first > 0xf4) return null;
  if (first < 0xe0) return { length: 2, from: 0x80, to: 0xbf };
  if (first < 0xf0)
    return { length: 3, from: first === 0xe0 ? 0xa0 : 0x80, to: first === 0xed ? 0x9f : 0xbf };
  return { length: 4, from: first === 0xf0 ? 0x90 : 0x80, to: first === 0xf4 ? 0x8f : 0xbf };
}

/**
 * Returns the offset of the first byte that is no part of UTF-8 (RFC 3629, section 4), or null. The offset is that of the
 * character's first byte.
 */
export function firstInvalidByte(bytes: Uint8Array): number | null {
  for (let at = 0; at < bytes.length; ) {
    const sequence = sequenceOf(bytes[at]);
    if (sequence === null) return at;
    for (let i = 1; i < sequence.length; i++) {
      const byte = bytes[at + i] ?? 0;
      if (byte < (i === 1 ? sequence.from : 0x80) || byte > (i === 1 ? sequence.to : 0xbf)) return at;
    }
    at += sequence.length;
  }
  return null;
}

/** Returns what the first two bytes of another encoding suggest; "" for other bytes. */
function hintOf([first, second]: Uint8Array): string {
  if (first === 0x1f && second === 0x8b)
    return "; it begins as gzip, which needs the header content-encoding: gzip";
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isUtf16 ? "; it begins as UTF-16" : "";
}

/**
 * Returns the text of UTF-8 bytes without a byte order mark, or where and why they are not UTF-8. A lenient decoder would
 * store other characters than the client meant.
 */
export function decodeUtf8(bytes: Uint8Array): { text: string } | { problem: string } {
  try {
    return { text: decoder.decode(bytes) };
  } catch {
    const at = firstInvalidByte(bytes) ?? 0;
    const byte = (bytes[at] ?? 0).toString(16).padStart(2, "0").toUpperCase();
    return { problem: `must be UTF-8; got the byte 0x${byte} at offset ${at}${hintOf(bytes)}` };
  }
}
