import { type ColumnName, columnLayout, elementBytes } from "./layout.ts";

/** "VTL1", little-endian. */
const magic = 0x314c5456;
const headerBytes = 40;

/** The columns of {@link columnLayout}. Row `i` of a column starts at `i * width`. */
export type Arrays = {
  [N in ColumnName]: Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f64"
    ? Float64Array
    : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f32"
      ? Float32Array
      : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "u32"
        ? Uint32Array
        : Uint8Array;
};

/** All that lies in a block, as views of its buffer. */
export interface Sections extends Arrays {
  /** Neighbours of row i: entries `neighbourStart[i]` to `neighbourStart[i + 1]` of the three arrays below. */
  readonly nextStart: Uint32Array;
  readonly nextHash: Float64Array;
  readonly nextWeight: Float32Array;
  /** Index into `strings` of the neighbour's id, then of its cell: two for each entry. */
  readonly nextName: Uint32Array;
  /** UTF-8 of all ids, then of all titles; text i, of `2 * count`, lies from `textStart[i]` to `textStart[i + 1]`. */
  readonly textStart: Uint32Array;
  /** UTF-8 of JSON: what the block says of itself, and its dictionary. */
  readonly about: Uint8Array;
  readonly text: Uint8Array;
}

/** What decides where everything lies: rows, neighbours, and bytes of the two texts. */
export interface Lengths {
  count: number;
  nextProducts: number;
  about: number;
  text: number;
}

/** A block as one buffer, and the sections in it. */
export interface Block {
  buffer: ArrayBuffer;
  count: number;
  sections: Sections;
}

const align = (bytes: number): number => (bytes + 7) & ~7;

const rowBytes = (count: number): number =>
  columnLayout.reduce((sum, { type, width }) => sum + align(count * width * elementBytes[type]), 0);

const sizeOf = ({ count, nextProducts: neighbours, about, text }: Lengths): number =>
  headerBytes +
  rowBytes(count) +
  align(4 * (count + 1)) +
  align(8 * neighbours) +
  align(4 * neighbours) +
  align(8 * neighbours) +
  align(4 * (2 * count + 1)) +
  align(about) +
  align(text);

const constructors = { f64: Float64Array, f32: Float32Array, u32: Uint32Array, u8: Uint8Array };

function sectionsOf(
  buffer: ArrayBuffer,
  { count, nextProducts: neighbours, about, text }: Lengths,
): Sections {
  let offset = headerBytes;
  const take = <T>(
    make: new (buffer: ArrayBuffer, offset: number, length: number) => T,
    length: number,
    size: number,
  ): T => {
    const view = new make(buffer, offset, length);
    offset += align(length * size);
    return view;
  };
  const arrays: Record<string, unknown> = {};
  for (const { name, type, width } of columnLayout)
    arrays[name] = take<unknown>(constructors[type], count * width, elementBytes[type]);
  return {
    ...(arrays as Arrays),
    nextStart: take(Uint32Array, count + 1, 4),
    nextHash: take(Float64Array, neighbours, 8),
    nextWeight: take(Float32Array, neighbours, 4),
    nextName: take(Uint32Array, 2 * neighbours, 4),
    textStart: take(Uint32Array, 2 * count + 1, 4),
    about: take(Uint8Array, about, 1),
    text: take(Uint8Array, text, 1),
  };
}

/**
 * Lays a block out, zeroed, for whoever fills its sections: header (magic, checksum, lengths), columns, neighbours, texts. Rows
 * need no parsing, and what is filled in here is the binary itself: nothing is copied to store or send it.
 */
export function layOut(lengths: Lengths): Block {
  const buffer = new ArrayBuffer(sizeOf(lengths));
  const header = new DataView(buffer);
  header.setUint32(0, magic, true);
  header.setUint32(8, buffer.byteLength, true);
  header.setUint32(12, lengths.count, true);
  header.setUint32(16, lengths.nextProducts, true);
  header.setUint32(20, lengths.about, true);
  header.setUint32(24, lengths.text, true);
  return { buffer, count: lengths.count, sections: sectionsOf(buffer, lengths) };
}

/** Views a block; null where the bytes are none. Nothing is copied. */
export function viewBlock(buffer: ArrayBuffer): Block | null {
  if (buffer.byteLength < headerBytes) return null;
  const header = new DataView(buffer);
  if (header.getUint32(0, true) !== magic || header.getUint32(8, true) !== buffer.byteLength) return null;
  const lengths = {
    count: header.getUint32(12, true),
    nextProducts: header.getUint32(16, true),
    about: header.getUint32(20, true),
    text: header.getUint32(24, true),
  };
  if (sizeOf(lengths) !== buffer.byteLength) return null;
  return { buffer, count: lengths.count, sections: sectionsOf(buffer, lengths) };
}

/** FNV-1a over 32-bit words (Fowler, Noll, Vo): guards a tile against a torn or foreign value. */
function checksum(buffer: ArrayBuffer): number {
  const words = new Uint32Array(buffer, 8, (buffer.byteLength - 8) >> 2);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash >>> 0;
}

/** Writes the checksum into a block that is to be stored. What goes from one worker to the next in memory needs none. */
export function seal(buffer: ArrayBuffer): ArrayBuffer {
  new DataView(buffer).setUint32(4, checksum(buffer), true);
  return buffer;
}

/** Whether a block is as it was when it was sealed. */
export const isWhole = (buffer: ArrayBuffer): boolean =>
  buffer.byteLength >= headerBytes && checksum(buffer) === new DataView(buffer).getUint32(4, true);
