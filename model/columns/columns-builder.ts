import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { discountMillionths } from "../../shared/money/discount.ts";
import { allocateBlock, sealBlock } from "./block.ts";
import { type BlockMeta, encodeMetadata, type NextProduct } from "./columns.ts";
import { hash32, hash53 } from "./hash.ts";
import { allocate, columnLayout, columnWidth, type Elements, noString, wholeShare } from "./layout.ts";
import { layOutOptional, OptionalColumns, writeOptional } from "./optional-columns.ts";

/** A product to be added to a block. Units are those of {@link columnLayout}; null stands for absent. */
export interface ColumnsRow {
  productId: string;
  title: string;
  category: string;
  lat: number | null;
  lon: number | null;
  version: number;
  createdAt: number;
  lastTime: number;
  priceMinor: number | null;
  currency: string | null;
  /** Share of the price, 0..1. */
  discount: number;
  rating: number | null;
  available: boolean;
  groupId: string | null;
  cell: string;
  /** Lifetime counts, in the order of `countFields`: view, click, cart, purchase, dismiss, people, buyers. */
  counts: readonly number[];
  /** Decayed engagement at each half-life, as of the block's time. */
  hot: readonly number[];
  /** Interactions by local hour (24) and weekday (7); any scale. */
  hours: readonly number[];
  weekdays: readonly number[];
  nextProducts: readonly NextProduct[];
  /** Values of optional columns; absent for none. */
  optional?: readonly ColumnValue[];
}

/** Builds a block of at most `capacity` products. */
export class ColumnsBuilder {
  readonly #arrays: Record<string, Elements> = {};
  readonly #ids: string[] = [];
  readonly #titles: string[] = [];
  readonly #strings: string[] = [];
  readonly #stringIndex = new Map<string, number>();
  readonly #nextStart: number[] = [0];
  readonly #nextWeight: number[] = [];
  readonly #nextName: number[] = [];
  readonly #optional: (readonly ColumnValue[])[] = [];

  constructor(capacity: number) {
    for (const { name, type, width } of columnLayout) this.#arrays[name] = allocate(type, capacity * width);
  }

  /** Rows appended so far. */
  get count(): number {
    return this.#ids.length;
  }

  #intern(text: string | null): number {
    if (text === null) return noString;
    let index = this.#stringIndex.get(text);
    if (index === undefined) {
      index = this.#strings.push(text) - 1;
      this.#stringIndex.set(text, index);
    }
    return index;
  }

  /** Appends a product. */
  addRow(row: ColumnsRow): void {
    const at = this.#ids.length;
    const a = this.#arrays;
    a.idHash[at] = hash53(row.productId);
    a.lat[at] = row.lat ?? Number.NaN;
    a.lon[at] = row.lon ?? Number.NaN;
    a.version[at] = row.version;
    a.createdAt[at] = row.createdAt;
    a.lastTime[at] = row.lastTime;
    a.priceMinor[at] = row.priceMinor ?? Number.NaN;
    a.discountMillionths[at] = discountMillionths(row.discount);
    a.rating[at] = row.rating ?? Number.NaN;
    a.counts.set(row.counts, at * columnWidth.counts);
    a.hot.set(row.hot, at * columnWidth.hot);
    a.categoryHash[at] = hash32(row.category);
    a.category[at] = this.#intern(row.category);
    a.currency[at] = this.#intern(row.currency);
    a.groupId[at] = this.#intern(row.groupId);
    a.cell[at] = this.#intern(row.cell);
    a.available[at] = row.available ? 1 : 0;
    a.hours.set(shares(row.hours), at * columnWidth.hours);
    a.weekdays.set(shares(row.weekdays), at * columnWidth.weekdays);
    for (const { productId, cell, weight } of row.nextProducts) {
      this.#nextWeight.push(weight);
      this.#nextName.push(this.#intern(productId), this.#intern(cell));
    }
    this.#optional.push(row.optional ?? []);
    this.#finishRow(row.productId, row.title);
  }

  #finishRow(id: string, title: string): void {
    this.#nextStart.push(this.#nextWeight.length);
    this.#ids.push(id);
    this.#titles.push(title);
  }

  /** Returns the block as one sealed buffer. */
  finish(meta: BlockMeta): ArrayBuffer {
    const count = this.count;
    const encoder = new TextEncoder();
    const texts = [...this.#ids, ...this.#titles].map((text) => encoder.encode(text));
    const columns = new OptionalColumns(count);
    for (const [row, values] of this.#optional.entries())
      for (const value of values) columns.set(row, value, (text) => this.#intern(text));
    const optional = columns.finish();
    const textBytes = texts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const { entries, bytes } = layOutOptional(optional, textBytes);
    const metadata = encodeMetadata(meta, this.#strings, entries);
    const { buffer, sections } = allocateBlock({
      count,
      nextProducts: this.#nextWeight.length,
      metadata: metadata.byteLength,
      text: bytes,
    });
    for (const { name, width } of columnLayout)
      sections[name].set(this.#arrays[name].subarray(0, count * width));
    sections.nextStart.set(this.#nextStart);
    sections.nextWeight.set(this.#nextWeight);
    sections.nextName.set(this.#nextName);
    sections.metadata.set(metadata);
    for (const [i, each] of texts.entries()) {
      sections.text.set(each, sections.textStart[i]);
      sections.textStart[i + 1] = sections.textStart[i] + each.byteLength;
    }
    writeOptional(optional, entries, sections.text);
    return sealBlock(buffer);
  }
}

/** Returns the share of each value in their sum, as an integer of at most {@link wholeShare}. */
function shares(values: readonly number[]): number[] {
  let sum = 0;
  for (const value of values) sum += value;
  return sum > 0 ? values.map((value) => Math.round((value * wholeShare) / sum)) : values.map(() => 0);
}
