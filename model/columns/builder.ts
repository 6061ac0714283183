import { layOut, seal } from "./block.ts";
import { aboutOf, type BlockMeta, type NextProduct, noString } from "./columns.ts";
import { hash32, hash53 } from "./hash.ts";
import { allocate, columnLayout, type Elements } from "./layout.ts";

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
  nextProducts: readonly NextProduct[];
}

type Growing = Record<string, Elements>;

/** Builds a block of at most `capacity` products. */
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
    for (const neighbour of row.nextProducts)
      this.#addNeighbour(hash53(neighbour.productId), neighbour.weight, neighbour.productId, neighbour.cell);
    this.#finishRow(row.productId, row.title);
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

  /** The block as one buffer, sealed. */
  finish(meta: BlockMeta): ArrayBuffer {
    const count = this.count;
    const encoder = new TextEncoder();
    const texts = [...this.#ids, ...this.#titles].map((text) => encoder.encode(text));
    const about = aboutOf(meta, this.#strings);
    const { buffer, sections } = layOut({
      count,
      nextProducts: this.#neighbourHash.length,
      about: about.byteLength,
      text: texts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    });
    for (const { name, width } of columnLayout)
      sections[name].set(this.#arrays[name].subarray(0, count * width));
    sections.nextStart.set(this.#neighbourStart);
    sections.nextHash.set(this.#neighbourHash);
    sections.nextWeight.set(this.#neighbourWeight);
    sections.nextName.set(this.#neighbourName);
    sections.about.set(about);
    for (const [i, each] of texts.entries()) {
      sections.text.set(each, sections.textStart[i]);
      sections.textStart[i + 1] = sections.textStart[i] + each.byteLength;
    }
    return seal(buffer);
  }
}

function shares(values: readonly number[]): number[] {
  let sum = 0;
  for (const value of values) sum += value;
  return sum > 0 ? values.map((value) => Math.round((value * 255) / sum)) : values.map(() => 0);
}
