import { type ColumnName, columnLayout, elementBytes } from "./layout.ts";

/** The text "VTL2" as a little-endian integer: the first four bytes of each block. */
const magic = 0x324c5456;
const headerBytes = 40;

/** The columns of {@link columnLayout}. Row `i` of a column starts at `i * width`. */
export type ColumnArrays = {
  [N in ColumnName]: Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f64"
    ? Float64Array
    : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f32"
      ? Float32Array
      : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "u32"
        ? Uint32Array
        : Uint8Array;
};

/** The sections of a block, as views of its buffer. */
export interface BlockSections extends ColumnArrays {
  /** Next products of row i: entries `nextStart[i]` to `nextStart[i + 1]` of the three arrays below. */
  readonly nextStart: Uint32Array;
  readonly nextWeight: Float32Array;
  /** Two indices into `strings` for each entry: the next product's id, then its cell. */
  readonly nextName: Uint32Array;
  /** UTF-8 of all ids, then of all titles; text i, of `2 * count`, lies from `textStart[i]` to `textStart[i + 1]`. */
  readonly textStart: Uint32Array;
  /** UTF-8 of JSON: the block's metadata, its dictionary of strings, and where its optional columns are. */
  readonly metadata: Uint8Array;
  /** The texts, then the optional columns, each at a multiple of 8 bytes. */
  readonly text: Uint8Array;
}

/** Lengths that determine the layout of a block: rows, next products in all, and bytes of the last two sections. */
export interface BlockLengths {
  count: number;
  nextProducts: number;
  metadata: number;
  text: number;
}

/** A block: one buffer, and views of its sections. */
export interface Block {
  buffer: ArrayBuffer;
  count: number;
  sections: BlockSections;
}

const align = (bytes: number): number => (bytes + 7) & ~7;

const rowBytes = (count: number): number =>
  columnLayout.reduce((sum, { type, width }) => sum + align(count * width * elementBytes[type]), 0);

const blockBytes = ({ count, nextProducts, metadata, text }: BlockLengths): number =>
  headerBytes +
  rowBytes(count) +
  align(4 * (count + 1)) +
  align(4 * nextProducts) +
  align(8 * nextProducts) +
  align(4 * (2 * count + 1)) +
  align(metadata) +
  align(text);

const constructors = { f64: Float64Array, f32: Float32Array, u32: Uint32Array, u8: Uint8Array };

function sectionsOf(
  buffer: ArrayBuffer,
  { count, nextProducts, metadata, text }: BlockLengths,
): BlockSections {
  let offset = headerBytes;
  const nextView = <T>(
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
    arrays[name] = nextView<unknown>(constructors[type], count * width, elementBytes[type]);
  return {
    ...(arrays as ColumnArrays),
    nextStart: nextView(Uint32Array, count + 1, 4),
    nextWeight: nextView(Float32Array, nextProducts, 4),
    nextName: nextView(Uint32Array, 2 * nextProducts, 4),
    textStart: nextView(Uint32Array, 2 * count + 1, 4),
    metadata: nextView(Uint8Array, metadata, 1),
    text: nextView(Uint8Array, text, 1),
  };
}

/**
 * Allocates a block of zeros: header (magic, checksum, lengths), columns, next products, texts. The caller fills the
 * sections, which are views of the buffer that is stored or sent: no encoding step copies them.
 */
export function allocateBlock(lengths: BlockLengths): Block {
  const buffer = new ArrayBuffer(blockBytes(lengths));
  const header = new DataView(buffer);
  header.setUint32(0, magic, true);
  header.setUint32(8, buffer.byteLength, true);
  header.setUint32(12, lengths.count, true);
  header.setUint32(16, lengths.nextProducts, true);
  header.setUint32(20, lengths.metadata, true);
  header.setUint32(24, lengths.text, true);
  return { buffer, count: lengths.count, sections: sectionsOf(buffer, lengths) };
}

/** Returns views of a block without copying it; null for bytes that are not a block. */
export function viewBlock(buffer: ArrayBuffer): Block | null {
  if (buffer.byteLength < headerBytes) return null;
  const header = new DataView(buffer);
  if (header.getUint32(0, true) !== magic || header.getUint32(8, true) !== buffer.byteLength) return null;
  const lengths = {
    count: header.getUint32(12, true),
    nextProducts: header.getUint32(16, true),
    metadata: header.getUint32(20, true),
    text: header.getUint32(24, true),
  };
  if (blockBytes(lengths) !== buffer.byteLength) return null;
  return { buffer, count: lengths.count, sections: sectionsOf(buffer, lengths) };
}

/** FNV-1a over 32-bit words (Fowler, Noll, Vo): detects a truncated or foreign value in storage. */
function checksum(buffer: ArrayBuffer): number {
  const words = new Uint32Array(buffer, 8, (buffer.byteLength - 8) >> 2);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash >>> 0;
}

/** Writes the checksum into a block that is to be stored. A block that one worker sends to another needs none. */
export function sealBlock(buffer: ArrayBuffer): ArrayBuffer {
  new DataView(buffer).setUint32(4, checksum(buffer), true);
  return buffer;
}

/** Returns whether the bytes still match the checksum of {@link sealBlock}. */
export const isBlockIntact = (buffer: ArrayBuffer): boolean =>
  buffer.byteLength >= headerBytes && checksum(buffer) === new DataView(buffer).getUint32(4, true);
