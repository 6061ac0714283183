import type { BlockMeta, Columns, Neighbour } from "./columns.ts";
import { encodeColumns, noString } from "./columns.ts";
import { hash32, hash53 } from "./hash.ts";
import { columnLayout, type ElementType, hotHalfLives } from "./layout.ts";

/** A product as one row, before it becomes columns; units as in `layout.ts`, null where absent. */
export interface ProductRow {
  productId: string;
  title: string;
  category: string;
  lat: number | null;
  lon: number | null;
  version: number;
  createdAt: number;
  lastTime: number;
  price: number | null;
  currency: string | null;
  discount: number;
  rating: number | null;
  available: boolean;
  cell: string;
  /** Lifetime view, click, cart, purchase, dismiss, people. */
  counts: readonly number[];
  /** Decayed engagement at each half-life, as of the block's time. */
  hot: readonly number[];
  /** Interactions by local hour (24) and weekday (7); any scale. */
  hours: readonly number[];
  weekdays: readonly number[];
  neighbours: readonly Neighbour[];
}

type Growing = Record<string, Float64Array | Float32Array | Uint32Array | Uint8Array>;

const allocate = (type: ElementType, length: number) =>
  type === "f64"
    ? new Float64Array(length)
    : type === "f32"
      ? new Float32Array(length)
      : type === "u32"
        ? new Uint32Array(length)
        : new Uint8Array(length);

/** Builds a block of at most `capacity` rows, from rows or from rows of other blocks. */
export class ColumnsBuilder {
  readonly #arrays: Growing = {};
  readonly #ids: string[] = [];
  readonly #titles: string[] = [];
  readonly #strings: string[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #neighbourStart: number[] = [0];
  readonly #neighbourHash: number[] = [];
  readonly #neighbourWeight: number[] = [];
  readonly #neighbourName: number[] = [];

  constructor(capacity: number) {
    for (const { name, type, width } of columnLayout) this.#arrays[name] = allocate(type, capacity * width);
  }

  get count(): number {
    return this.#ids.length;
  }

  #intern(text: string | null): number {
    if (text === null) return noString;
    let index = this.#indexOf.get(text);
    if (index === undefined) {
      index = this.#strings.push(text) - 1;
      this.#indexOf.set(text, index);
    }
    return index;
  }

  /** Appends a product. */
  addRow(row: ProductRow): void {
    const at = this.#ids.length;
    const a = this.#arrays;
    a.idHash[at] = hash53(row.productId);
    a.lat[at] = row.lat ?? Number.NaN;
    a.lon[at] = row.lon ?? Number.NaN;
    a.version[at] = row.version;
    a.createdAt[at] = row.createdAt;
    a.lastTime[at] = row.lastTime;
    a.price[at] = row.price ?? Number.NaN;
    a.discount[at] = row.discount;
    a.rating[at] = row.rating ?? Number.NaN;
    a.counts.set(row.counts, at * 6);
    a.hot.set(row.hot, at * 3);
    a.categoryHash[at] = hash32(row.category);
    a.category[at] = this.#intern(row.category);
    a.currency[at] = this.#intern(row.currency);
    a.cell[at] = this.#intern(row.cell);
    a.available[at] = row.available ? 1 : 0;
    a.hours.set(shares(row.hours), at * 24);
    a.weekdays.set(shares(row.weekdays), at * 7);
    for (const neighbour of row.neighbours)
      this.#addNeighbour(hash53(neighbour.productId), neighbour.weight, neighbour.productId, neighbour.cell);
    this.#finishRow(row.productId, row.title);
  }

  /**
   * Appends row `row` of another block. Decayed columns are carried from that block's time to `time`, so that
   * rows of blocks of different ages compare.
   */
  addFrom(source: Columns, row: number, time = source.meta.time): void {
    const at = this.#ids.length;
    for (const { name, width } of columnLayout) {
      const from = source[name];
      const to = this.#arrays[name];
      for (let i = 0; i < width; i++) to[at * width + i] = from[row * width + i];
    }
    const days = (time - source.meta.time) / 86_400;
    if (days > 0)
      hotHalfLives.forEach((halfLife, i) => {
        this.#arrays.hot[at * 3 + i] *= 2 ** (-days / halfLife);
      });
    for (const name of ["category", "currency", "cell"] as const) {
      const index = source[name][row];
      this.#arrays[name][at] = this.#intern(index === noString ? null : source.strings[index]);
    }
    for (let i = source.neighbourStart[row]; i < source.neighbourStart[row + 1]; i++)
      this.#addNeighbour(
        source.neighbourHash[i],
        source.neighbourWeight[i],
        source.strings[source.neighbourName[2 * i]],
        source.strings[source.neighbourName[2 * i + 1]],
      );
    this.#finishRow(source.id(row), source.title(row));
  }

  #addNeighbour(hash: number, weight: number, id: string, cell: string): void {
    this.#neighbourHash.push(hash);
    this.#neighbourWeight.push(weight);
    this.#neighbourName.push(this.#intern(id), this.#intern(cell));
  }

  #finishRow(id: string, title: string): void {
    this.#neighbourStart.push(this.#neighbourHash.length);
    this.#ids.push(id);
    this.#titles.push(title);
  }

  /** The block as one buffer. */
  finish(meta: BlockMeta): ArrayBuffer {
    const count = this.count;
    const arrays: Growing = {};
    for (const { name, width } of columnLayout) arrays[name] = this.#arrays[name].subarray(0, count * width);
    return encodeColumns({
      meta,
      count,
      arrays: arrays as never,
      neighbourStart: Uint32Array.from(this.#neighbourStart),
      neighbourHash: Float64Array.from(this.#neighbourHash),
      neighbourWeight: Float32Array.from(this.#neighbourWeight),
      neighbourName: Uint32Array.from(this.#neighbourName),
      strings: this.#strings,
      ids: this.#ids,
      titles: this.#titles,
    });
  }
}

function shares(values: readonly number[]): number[] {
  let sum = 0;
  for (const value of values) sum += value;
  return sum > 0 ? values.map((value) => Math.round((value * 255) / sum)) : values.map(() => 0);
}
