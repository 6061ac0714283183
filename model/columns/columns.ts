import { type Block, isWhole, type Sections, viewBlock } from "./block.ts";

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
  /** For each row of a parent the index of the child that handed it up. */
  handedBy?: number[];
}

/** One product that is often chosen after another. */
export interface NextProduct {
  productId: string;
  cell: string;
  /** Decayed, smoothed weight of the step; larger is stronger. */
  weight: number;
}

/** A block of products as typed arrays over one buffer. */
export interface Columns extends Omit<Sections, "about"> {
  readonly meta: BlockMeta;
  readonly count: number;
  /** Dictionary of categories, currencies, cells and neighbours' ids. */
  readonly strings: string[];
  /** The buffer that all of it lies in, to be sent or stored. */
  readonly packed: ArrayBuffer;
  /** Decodes the product id of a row. */
  id(row: number): string;
  /** Decodes the title of a row. */
  title(row: number): string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** What a block says of itself and its dictionary, as its section `about` holds them. */
export const aboutOf = (meta: BlockMeta, strings: readonly string[]): Uint8Array =>
  encoder.encode(JSON.stringify({ ...meta, strings }));

/** A block whose sections are filled. */
export function columnsIn(block: Block, meta: BlockMeta, strings: string[]): Columns {
  const { buffer, count, sections } = block;
  const { about: _about, ...arrays } = sections;
  const { text, textStart } = arrays;
  const textAt = (i: number): string => decoder.decode(text.subarray(textStart[i], textStart[i + 1]));
  return {
    ...arrays,
    meta,
    count,
    strings,
    packed: buffer,
    id: (row) => textAt(row),
    title: (row) => textAt(count + row),
  };
}

/** Views a stored block; null where the bytes are not a whole, unharmed block. */
export const decodeColumns = (buffer: ArrayBuffer): Columns | null =>
  isWhole(buffer) ? unpackColumns(buffer) : null;

/** Views a block that comes straight from who made it; null where it is none. Nothing is copied. */
export function unpackColumns(buffer: ArrayBuffer): Columns | null {
  const block = viewBlock(buffer);
  if (!block) return null;
  const { strings, ...meta } = JSON.parse(decoder.decode(block.sections.about)) as BlockMeta & {
    strings: string[];
  };
  return columnsIn(block, meta, strings);
}

/** The neighbours of a row, strongest first. */
export function nextProductsOf(columns: Columns, row: number): NextProduct[] {
  const list: NextProduct[] = [];
  for (let i = columns.nextStart[row]; i < columns.nextStart[row + 1]; i++)
    list.push({
      productId: columns.strings[columns.nextName[2 * i]],
      cell: columns.strings[columns.nextName[2 * i + 1]],
      weight: columns.nextWeight[i],
    });
  return list;
}
