import { type ColumnName, columnLayout, elementBytes } from "./layout.ts";

/** "VTL1", little-endian. */
const magic = 0x314c5456;
const headerBytes = 40;
/** Index in `strings` that stands for "none". */
export const noString = 0xffffffff;

/** A child block of a parent tile: enough to decide whether it is worth reading. */
export interface ChildBlock {
  cell: string;
  count: number;
  version: number;
  /** Centre and radius (km) of a cap that holds all of the child's products. */
  lat: number;
  lon: number;
  radiusKm: number;
}

/** What a block says of itself. */
export interface BlockMeta {
  cell: string;
  /** Grows with every publication of the cell. */
  version: number;
  /** When the block was built, seconds since the epoch: decayed columns are as of then. */
  time: number;
  children: ChildBlock[];
}

/** One product that is often chosen after another. */
export interface Neighbour {
  productId: string;
  cell: string;
  /** Decayed, smoothed weight of the step; larger is stronger. */
  weight: number;
}

type Arrays = {
  [N in ColumnName]: Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f64"
    ? Float64Array
    : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "f32"
      ? Float32Array
      : Extract<(typeof columnLayout)[number], { name: N }>["type"] extends "u32"
        ? Uint32Array
        : Uint8Array;
};

/** A block of products as typed arrays over one buffer. Row `i` of column `c` starts at `i * width`. */
export interface Columns extends Arrays {
  readonly meta: BlockMeta;
  readonly count: number;
  /** Neighbours of row i: entries `neighbourStart[i]` to `neighbourStart[i + 1]` of the three arrays below. */
  readonly neighbourStart: Uint32Array;
  readonly neighbourHash: Float64Array;
  readonly neighbourWeight: Float32Array;
  /** Index into `strings` of the neighbour's id, then of its cell: two for each entry. */
  readonly neighbourName: Uint32Array;
  /** Dictionary of categories, currencies, cells and neighbours' ids. */
  readonly strings: string[];
  /** UTF-8 of all ids, then of all titles; text i, of `2 * count`, lies from `textStart[i]` to `textStart[i + 1]`. */
  readonly text: Uint8Array;
  readonly textStart: Uint32Array;
  /** Decodes the product id of a row. */
  id(row: number): string;
  /** Decodes the title of a row. */
  title(row: number): string;
}

const align = (bytes: number): number => (bytes + 7) & ~7;

/** FNV-1a over 32-bit words (Fowler, Noll, Vo): guards a tile against a torn or foreign value. */
function checksum(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash >>> 0;
}

/** A block without its methods. */
export type BlockParts = Omit<Columns, "id" | "title">;

/** A block of its parts. */
export function columnsFrom(parts: BlockParts): Columns {
  const { text, textStart, count } = parts;
  const textAt = (i: number): string => decoder.decode(text.subarray(textStart[i], textStart[i + 1]));
  return { ...parts, id: (row) => textAt(row), title: (row) => textAt(count + row) };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A block as one buffer to be stored: packed, with a checksum. */
export function encodeColumns(parts: BlockParts): ArrayBuffer {
  const buffer = packColumns(parts);
  new DataView(buffer).setUint32(4, checksum(new Uint8Array(buffer, 8)), true);
  return buffer;
}

/**
 * Lays a block out as one buffer: header (magic, checksum, lengths), columns, neighbours, text. Rows need no parsing; text
 * is decoded on demand. The checksum is left out: what goes from one worker to the next in memory needs none.
 */
export function packColumns(parts: BlockParts): ArrayBuffer {
  const { count, text, textStart } = parts;
  const meta = encoder.encode(JSON.stringify({ ...parts.meta, strings: parts.strings }));
  const sections: ArrayBufferView[] = columnLayout.map(({ name }) => parts[name]);
  sections.push(
    parts.neighbourStart,
    parts.neighbourHash,
    parts.neighbourWeight,
    parts.neighbourName,
    textStart,
    meta,
    text,
  );
  let total = headerBytes;
  for (const section of sections) total += align(section.byteLength);
  const bytes = new Uint8Array(total);
  let offset = headerBytes;
  for (const section of sections) {
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), offset);
    offset += align(section.byteLength);
  }
  const header = new DataView(bytes.buffer);
  header.setUint32(0, magic, true);
  header.setUint32(8, total, true);
  header.setUint32(12, count, true);
  header.setUint32(16, parts.neighbourHash.length, true);
  header.setUint32(20, meta.byteLength, true);
  header.setUint32(24, text.byteLength, true);
  return bytes.buffer;
}

/** Views a stored block; null where the bytes are not a whole, unharmed block. */
export function decodeColumns(buffer: ArrayBuffer): Columns | null {
  if (buffer.byteLength < headerBytes) return null;
  if (checksum(new Uint8Array(buffer, 8)) !== new DataView(buffer).getUint32(4, true)) return null;
  return unpackColumns(buffer);
}

/** Views a packed block, which comes straight from who packed it; null where it is none. Nothing is copied. */
export function unpackColumns(buffer: ArrayBuffer): Columns | null {
  if (buffer.byteLength < headerBytes) return null;
  const header = new DataView(buffer);
  if (header.getUint32(0, true) !== magic || header.getUint32(8, true) !== buffer.byteLength) return null;
  const count = header.getUint32(12, true);
  const neighbours = header.getUint32(16, true);
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
  const constructors = { f64: Float64Array, f32: Float32Array, u32: Uint32Array, u8: Uint8Array };
  const arrays: Record<string, unknown> = {};
  for (const { name, type, width } of columnLayout)
    arrays[name] = take<unknown>(constructors[type], count * width, elementBytes[type]);
  const neighbourStart = take(Uint32Array, count + 1, 4);
  const neighbourHash = take(Float64Array, neighbours, 8);
  const neighbourWeight = take(Float32Array, neighbours, 4);
  const neighbourName = take(Uint32Array, 2 * neighbours, 4);
  const textStart = take(Uint32Array, 2 * count + 1, 4);
  const metaBytes = take(Uint8Array, header.getUint32(20, true), 1);
  const text = take(Uint8Array, header.getUint32(24, true), 1);
  const { strings, ...meta } = JSON.parse(decoder.decode(metaBytes)) as BlockMeta & { strings: string[] };
  return columnsFrom({
    ...(arrays as Arrays),
    meta,
    count,
    neighbourStart,
    neighbourHash,
    neighbourWeight,
    neighbourName,
    strings,
    text,
    textStart,
  });
}

/** The neighbours of a row, strongest first. */
export function neighboursOf(columns: Columns, row: number): Neighbour[] {
  const list: Neighbour[] = [];
  for (let i = columns.neighbourStart[row]; i < columns.neighbourStart[row + 1]; i++)
    list.push({
      productId: columns.strings[columns.neighbourName[2 * i]],
      cell: columns.strings[columns.neighbourName[2 * i + 1]],
      weight: columns.neighbourWeight[i],
    });
  return list;
}
