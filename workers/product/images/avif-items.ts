import { type Box, boxesIn, fullBoxBytes } from "./avif-boxes.ts";
import { checkPartCount, latin1, MalformedImage, readNumber, slice } from "./bytes.ts";

/** A part of an item's data: offsets into the file, or into the `idat` box. */
export interface Extent {
  source: "file" | "idat";
  from: number;
  to: number;
}

const unreadable = (): never => {
  throw new MalformedImage("its items are stored in a way that is not supported");
};

/** Reads numbers one after the other. */
class NumberReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Returns the next number of 0, 2, 4 or 8 bytes; a number of 0 bytes is 0. */
  next(size: number): number {
    const value = readNumber(this.#bytes, this.#at, size);
    this.#at += size;
    return value;
  }
}

/** Returns the types of the items that an `iinf` box lists, by item id. */
export function itemTypes(bytes: Uint8Array, iinf: Box): Map<number, string> {
  const types = new Map<number, string>();
  const countBytes = bytes[iinf.content] === 0 ? 2 : 4;
  for (const entry of boxesIn(bytes, iinf.content + fullBoxBytes + countBytes, iinf.to)) {
    const version = bytes[entry.content];
    if (entry.type !== "infe" || version < 2) unreadable();
    const idBytes = version === 2 ? 2 : 4;
    const id = readNumber(bytes, entry.content + fullBoxBytes, idBytes);
    // The id and the index of a protection scheme (2 bytes) precede the type.
    const at = entry.content + fullBoxBytes + idBytes + 2;
    if (at + 4 > entry.to || types.has(id)) unreadable();
    types.set(id, latin1(slice(bytes, at, at + 4)));
  }
  return types;
}

/** Returns the extents of the items that an `iloc` box locates, by item id. */
export function itemExtents(bytes: Uint8Array, iloc: Box): Map<number, Extent[]> {
  const content = bytes.subarray(0, iloc.to);
  const version = readNumber(content, iloc.content, 1);
  if (version > 2) unreadable();
  const sizes = readNumber(content, iloc.content + fullBoxBytes, 2);
  const [offsetBytes, lengthBytes, baseBytes] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
  const indexBytes = version === 0 ? 0 : sizes & 15;
  // An extent without a length would reach to the end of the file, and cost no bytes: a short file could list millions.
  if (
    ![4, 8].includes(lengthBytes) ||
    [offsetBytes, baseBytes, indexBytes].some((size) => ![0, 4, 8].includes(size))
  )
    unreadable();
  const idBytes = version === 2 ? 4 : 2;
  const reader = new NumberReader(content, iloc.content + fullBoxBytes + 2);
  const items = new Map<number, Extent[]>();
  let parts = 0;
  for (let count = reader.next(idBytes); count > 0; count--) {
    const id = reader.next(idBytes);
    const method = version === 0 ? 0 : reader.next(2) & 15;
    const isInFile = reader.next(2) === 0;
    const base = reader.next(baseBytes);
    const extents: Extent[] = [];
    const extentCount = reader.next(2);
    parts += 1 + extentCount;
    checkPartCount(parts);
    for (let left = extentCount; left > 0; left--) {
      reader.next(indexBytes);
      const from = base + reader.next(offsetBytes);
      const length = reader.next(lengthBytes);
      if (length === 0) unreadable();
      extents.push({ source: method === 0 ? "file" : "idat", from, to: from + length });
    }
    if (method > 1 || !isInFile || items.has(id)) unreadable();
    items.set(id, extents);
  }
  return items;
}
