import type { Searched } from "../../shared/contracts/location.ts";
import { priceAfterDiscount } from "../../shared/money/discount.ts";
import { type Block, type BlockSections, isBlockIntact, viewBlock } from "./block.ts";
import { noString } from "./layout.ts";
import { type OptionalColumn, type OptionalEntries, readOptional } from "./optional-columns.ts";

/** Smallest and largest price, in minor units of a currency. */
export interface PriceRange {
  min: number;
  max: number;
}

/**
 * What the products of a cell have, so that a search skips cells that cannot contain a match. A search may read a cell
 * in vain, but it never skips one with a match.
 */
export interface ContentSummary {
  /** Number of available products. */
  available: number;
  /** Bloom filter of the names of the categories, as base64. */
  categories: string;
  /** Largest discount, in millionths of the price. */
  maxDiscount: number;
  /** Smallest and largest price after discount by currency, in minor units; "" stands for no currency. */
  prices: Record<string, PriceRange>;
}

/** A child of a parent tile: what a reader needs to decide whether to read the child's tile. */
export interface ChildBlock {
  cell: string;
  count: number;
  version: number;
  /** Center and radius (km) of a spherical cap that contains all of the child's products. */
  lat: number;
  lon: number;
  radiusKm: number;
  /** Null if the child has not reported it: it was published by an earlier version. */
  content: ContentSummary | null;
  /**
   * The leaves below a child that has split, so that readers need not read the child's own tile. Absent for a leaf; null
   * for a child with more leaves than {@link maxListedLeaves}, whose own tile is read.
   */
  leaves?: ChildBlock[] | null;
}

/** Leaves of one split child that a parent's tile lists, at most: about 150 kB. */
export const maxListedLeaves = 512;

/** Metadata of a block. */
export interface BlockMeta {
  cell: string;
  /** Grows with every publication of the cell. */
  version: number;
  /** When the block was built, in seconds since the epoch. Decayed columns are as of this time. */
  time: number;
  children: ChildBlock[];
  /** For each row of a parent tile, the index of the child that the row comes from. */
  childOfRow?: number[];
  /** How far the search for the rows of this block went; only in blocks of candidates. */
  searched?: Searched;
}

/** A product that users often choose after another one. */
export interface NextProduct {
  productId: string;
  cell: string;
  /** Decayed, smoothed weight of the transition; larger is stronger. */
  weight: number;
}

/** A block of products as typed arrays over one buffer. */
export interface Columns extends Omit<BlockSections, "metadata"> {
  readonly meta: BlockMeta;
  readonly count: number;
  /** Dictionary of categories, currencies, groups, cells, ids of next products and the strings of optional columns. */
  readonly strings: string[];
  /** Columns that only some blocks have, such as those of declared attributes. */
  readonly optional: readonly OptionalColumn[];
  /** The whole block, to be sent or stored. */
  readonly buffer: ArrayBuffer;
  /** Returns the product id of a row. */
  id(row: number): string;
  /** Returns the product title of a row. */
  title(row: number): string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Encodes a block's metadata, dictionary and entries of optional columns for its section `metadata`. */
export const encodeMetadata = (
  meta: BlockMeta,
  strings: readonly string[],
  optional: OptionalEntries,
): Uint8Array =>
  encoder.encode(JSON.stringify({ ...meta, strings, ...(optional.length > 0 ? { optional } : {}) }));

/** Returns the columns of a block whose sections are filled. */
export function columnsFromBlock(
  block: Block,
  meta: BlockMeta,
  strings: string[],
  entries: OptionalEntries,
): Columns {
  const { buffer, count, sections } = block;
  const { metadata: _metadata, ...arrays } = sections;
  const { text, textStart } = arrays;
  const textAt = (i: number): string => decoder.decode(text.subarray(textStart[i], textStart[i + 1]));
  return {
    ...arrays,
    meta,
    count,
    strings,
    optional: readOptional(entries, count, text),
    buffer,
    id: (row) => textAt(row),
    title: (row) => textAt(count + row),
  };
}

/** Returns the columns of a stored block; null if the bytes are not a block or fail the checksum. */
export const decodeColumns = (buffer: ArrayBuffer): Columns | null =>
  isBlockIntact(buffer) ? unpackColumns(buffer) : null;

/** Returns the columns of a block that never was in storage, without checking the checksum; null for other bytes. */
export function unpackColumns(buffer: ArrayBuffer): Columns | null {
  const block = viewBlock(buffer);
  if (!block) return null;
  const {
    strings,
    optional = [],
    ...meta
  } = JSON.parse(decoder.decode(block.sections.metadata)) as BlockMeta & {
    strings: string[];
    optional?: OptionalEntries;
  };
  return columnsFromBlock(block, meta, strings, optional);
}

/** Returns a string of the dictionary; null for none. An index that no array has is slow to look up. */
const stringAt = ({ strings }: Columns, index: number): string | null =>
  index === noString ? null : strings[index];

/** Returns the ISO 4217 code of a row's currency; null for a row without one. */
export const currencyOf = (columns: Columns, row: number): string | null =>
  stringAt(columns, columns.currency[row]);

/** Returns the group of a row's variants; null for a row without one. */
export const groupIdOf = (columns: Columns, row: number): string | null =>
  stringAt(columns, columns.groupId[row]);

/**
 * Returns a row's price after discount, in minor units of its currency; NaN for a row without a price. The discount counts
 * as if it held: see `sale.ts`.
 */
export const priceAfterDiscountOf = (columns: Columns, row: number): number =>
  priceAfterDiscount(columns.priceMinor[row], columns.discountMillionths[row]);

/** Returns the name of a row's category. */
export const categoryOf = (columns: Columns, row: number): string => columns.strings[columns.category[row]];

/** Returns the next products of a row, strongest first. */
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
