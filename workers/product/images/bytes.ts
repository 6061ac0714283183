/** An image that cannot be read. The message completes "The image cannot be stored: ...". */
export class MalformedImage extends Error {
  override readonly name = "MalformedImage";
}

/** What is wrong with a file that ends too early. */
export const truncated = "the file is truncated; send the whole file";

/**
 * Largest number of parts of a file: segments, chunks, boxes or extents. A part costs some hundred bytes of memory, so
 * that a file of empty parts would cost a hundred times its own size. Real files have fewer than a thousand.
 */
export const maxParts = 10_000;

/** Throws {@link MalformedImage} if a file has more than {@link maxParts} parts. */
export function checkPartCount(count: number): void {
  if (count > maxParts)
    throw new MalformedImage(`the file has more than ${maxParts.toLocaleString("en")} parts; save it anew`);
}

/** Returns the bytes from `from` to `to`. Throws {@link MalformedImage} if the file ends before. */
export function slice(bytes: Uint8Array, from: number, to: number): Uint8Array {
  if (from > to || to > bytes.length) throw new MalformedImage(truncated);
  return bytes.subarray(from, to);
}

/** Returns the unsigned number of 1, 2, 4 or 8 bytes at an offset. Throws {@link MalformedImage} if the file ends before. */
export function readNumber(bytes: Uint8Array, at: number, size: number, littleEndian = false): number {
  const part = slice(bytes, at, at + size);
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + part[littleEndian ? size - 1 - i : i];
  return value;
}

/** Returns bytes as text with one character for each byte. */
export const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** Returns the bytes of a text whose characters are all below U+0100. */
export const latin1Bytes = (text: string): Uint8Array => Uint8Array.from(text, (each) => each.charCodeAt(0));

/** Returns whether bytes begin with a text whose characters are all below U+0100. */
export const startsWith = (bytes: Uint8Array, text: string): boolean =>
  bytes.length >= text.length && latin1(bytes.subarray(0, text.length)) === text;

/** Returns the parts as one array. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
