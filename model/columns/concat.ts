import { layOut } from "./block.ts";
import { aboutOf, type BlockMeta, type Columns, columnsIn, noString } from "./columns.ts";
import { gatherRows, type RowNumbers } from "./gather-rows.ts";
import { columnLayout, type Elements, hotHalfLives } from "./layout.ts";

/** Rows of blocks: the i-th is row `rows[i]` of `blocks[from[i]]`. */
export interface RowList extends RowNumbers {
  blocks: readonly Columns[];
}

/** Gives strings of several blocks' dictionaries their place in one. */
class Dictionary {
  readonly strings: string[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #blocks: readonly Columns[];
  /** For each block, where its strings lie here; -1 for those that nobody asked for yet. */
  readonly #known: readonly Int32Array[];

  constructor(blocks: readonly Columns[]) {
    this.#blocks = blocks;
    this.#known = blocks.map(({ strings }) => new Int32Array(strings.length).fill(-1));
  }

  /** Index here of string `index` of the dictionary of block number `block`. */
  of(block: number, index: number): number {
    if (index === noString) return noString;
    const known = this.#known[block];
    if (known[index] < 0) known[index] = this.#intern(this.#blocks[block].strings[index]);
    return known[index];
  }

  #intern(text: string): number {
    const at = this.#indexOf.get(text);
    if (at !== undefined) return at;
    this.#indexOf.set(text, this.strings.length);
    return this.strings.push(text) - 1;
  }
}

/** Columns that hold indices into the dictionary. */
const named = ["category", "currency", "cell"] as const;

/**
 * A block of rows of other blocks, in the order given. Decayed columns are carried from their block's time to that of
 * `meta`, so that rows of blocks of different ages compare. Neighbours come along for rows below `withNeighbours`.
 */
export function concat(list: RowList, meta: BlockMeta, withNextProducts = 0): Columns {
  const { blocks, from, rows, count } = list;
  const dictionary = new Dictionary(blocks);
  const names = named.map((name) => {
    const sources = blocks.map((block) => block[name]);
    const indices = new Uint32Array(count);
    for (let i = 0; i < count; i++) indices[i] = dictionary.of(from[i], sources[from[i]][rows[i]]);
    return indices;
  });
  const nextProducts = neighboursOf(list, dictionary, Math.min(count, withNextProducts));
  const about = aboutOf(meta, dictionary.strings);
  const block = layOut({
    count,
    nextProducts: nextProducts.hashes.length,
    about: about.byteLength,
    text: textBytes(list),
  });
  const { sections } = block;
  for (const { name, width } of columnLayout) {
    const sources = blocks.map((each): Elements => each[name]);
    gatherRows(sources, list, width, sections[name]);
  }
  named.forEach((name, i) => {
    sections[name].set(names[i]);
  });
  carry(list, meta.time, sections.hot);
  sections.nextStart.set(nextProducts.starts);
  sections.nextHash.set(nextProducts.hashes);
  sections.nextWeight.set(nextProducts.weights);
  sections.nextName.set(nextProducts.names);
  sections.about.set(about);
  copyText(list, sections.text, sections.textStart);
  return columnsIn(block, meta, dictionary.strings);
}

/** Carries decayed engagement from the time of each row's block to another. */
function carry({ blocks, from, count }: RowList, time: number, hot: Float32Array): void {
  const decays = blocks.map((block) => {
    const days = Math.max(0, (time - block.meta.time) / 86_400);
    return hotHalfLives.map((halfLife) => 2 ** (-days / halfLife));
  });
  for (let i = 0; i < count; i++)
    for (let j = 0; j < hotHalfLives.length; j++) hot[i * hotHalfLives.length + j] *= decays[from[i]][j];
}

/** Neighbours of the first rows. */
function neighboursOf({ blocks, from, rows, count }: RowList, dictionary: Dictionary, first: number) {
  const starts = new Uint32Array(count + 1);
  const hashes: number[] = [];
  const weights: number[] = [];
  const names: number[] = [];
  for (let i = 0; i < first; i++) {
    const block = blocks[from[i]];
    for (let j = block.nextStart[rows[i]]; j < block.nextStart[rows[i] + 1]; j++) {
      hashes.push(block.nextHash[j]);
      weights.push(block.nextWeight[j]);
      names.push(
        dictionary.of(from[i], block.nextName[2 * j]),
        dictionary.of(from[i], block.nextName[2 * j + 1]),
      );
    }
    starts[i + 1] = hashes.length;
  }
  return { starts: starts.fill(hashes.length, first + 1), hashes, weights, names };
}

/** Bytes of all ids and titles. */
function textBytes({ blocks, from, rows, count }: RowList): number {
  const starts = blocks.map(({ textStart }) => textStart);
  const titles = blocks.map((block) => block.count);
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const start = starts[from[i]];
    const title = titles[from[i]] + rows[i];
    bytes += start[rows[i] + 1] - start[rows[i]] + start[title + 1] - start[title];
  }
  return bytes;
}

/** Ids, then titles, copied as bytes. */
function copyText({ blocks, from, rows, count }: RowList, text: Uint8Array, textStart: Uint32Array): void {
  const starts = blocks.map((block) => block.textStart);
  const texts = blocks.map((block) => block.text);
  const counts = blocks.map((block) => block.count);
  let to = 0;
  for (const part of [0, 1])
    for (let i = 0; i < count; i++) {
      const start = starts[from[i]];
      const source = texts[from[i]];
      const at = part * counts[from[i]] + rows[i];
      for (let j = start[at]; j < start[at + 1]; j++) text[to++] = source[j];
      textStart[part * count + i + 1] = to;
    }
}
