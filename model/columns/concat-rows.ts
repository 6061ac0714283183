import { daySeconds } from "../../shared/time/seconds.ts";
import { allocateBlock } from "./block.ts";
import { type BlockMeta, type Columns, columnsFromBlock, encodeMetadata } from "./columns.ts";
import { gatherRows, type RowSelection } from "./gather-rows.ts";
import { hotHalfLives, noString } from "./layout.ts";
import {
  emptyElements,
  isNone,
  layOutOptional,
  type OptionalColumn,
  type OptionalType,
  writeOptional,
} from "./optional-columns.ts";
import { optionalColumn } from "./optional-values.ts";

/** Rows of several blocks: the i-th is row `rows[i]` of `blocks[from[i]]`. */
export interface BlockRows extends RowSelection {
  blocks: readonly Columns[];
}

/** Merges the dictionaries of several blocks. It contains only strings that were looked up. */
class Dictionary {
  readonly strings: string[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #blocks: readonly Columns[];
  /** For each block, the merged index of each of its strings; -1 for strings not looked up yet. */
  readonly #cachedIndices: readonly Int32Array[];

  constructor(blocks: readonly Columns[]) {
    this.#blocks = blocks;
    this.#cachedIndices = blocks.map(({ strings }) => new Int32Array(strings.length).fill(-1));
  }

  /** Returns the merged index of string `index` of the block numbered `block`. */
  indexFor(block: number, index: number): number {
    if (index === noString) return noString;
    const cached = this.#cachedIndices[block];
    if (cached[index] < 0) cached[index] = this.#intern(this.#blocks[block].strings[index]);
    return cached[index];
  }

  /**
   * Returns the merged index of an address, as {@link indexFor} does. Two blocks rarely have one address, and nobody
   * compares addresses by their index, so an address that both have may be in the dictionary twice.
   */
  cellIndexFor(block: number, index: number): number {
    if (index === noString) return noString;
    const cached = this.#cachedIndices[block];
    if (cached[index] < 0) cached[index] = this.strings.push(this.#blocks[block].strings[index]) - 1;
    return cached[index];
  }

  #intern(text: string): number {
    const at = this.#indexOf.get(text);
    if (at !== undefined) return at;
    this.#indexOf.set(text, this.strings.length);
    return this.strings.push(text) - 1;
  }
}

/** Columns of indices into the dictionary, beside the cells. */
const dictionaryColumns = ["category", "currency", "groupId"] as const;

/** What a block of rows keeps beside their columns of fixed width. */
export interface KeptParts {
  /** Whether the rows keep their addresses. They are most of the dictionary's strings, and no list needs them. */
  addresses: boolean;
  /** Number of rows, from the first, that keep their next products. */
  nextProducts: number;
}

/**
 * Returns a block of rows from several blocks, in the order of `list`. It decays engagement from the time of each row's
 * block to that of `meta`, so that rows of blocks of different ages compare.
 */
export function concatRows(list: BlockRows, meta: BlockMeta, kept: KeptParts): Columns {
  const { blocks, from, rows, count } = list;
  const dictionary = new Dictionary(blocks);
  const indexed = dictionaryColumns.map((name) => {
    const sources = blocks.map((each) => each[name]);
    const indices = new Uint32Array(count);
    for (let i = 0; i < count; i++) indices[i] = dictionary.indexFor(from[i], sources[from[i]][rows[i]]);
    return indices;
  });
  const cells = new Uint32Array(count).fill(noString);
  const cellColumns = blocks.map(({ cell }) => cell);
  if (kept.addresses)
    for (let i = 0; i < count; i++)
      cells[i] = dictionary.cellIndexFor(from[i], cellColumns[from[i]][rows[i]]);
  const nextProducts = copyNextProducts(list, dictionary, Math.min(count, kept.nextProducts));
  const optional = copyOptional(list, dictionary);
  const { entries, bytes } = layOutOptional(optional, textBytes(list));
  const metadata = encodeMetadata(meta, dictionary.strings, entries);
  const block = allocateBlock({
    count,
    nextProducts: nextProducts.weights.length,
    metadata: metadata.byteLength,
    text: bytes,
  });
  const { sections } = block;
  gatherRows(blocks, list, block.buffer, sections);
  dictionaryColumns.forEach((name, i) => {
    sections[name].set(indexed[i]);
  });
  sections.cell.set(cells);
  decayEngagementTo(list, meta.time, sections.hot);
  sections.nextStart.set(nextProducts.starts);
  sections.nextWeight.set(nextProducts.weights);
  sections.nextName.set(nextProducts.names);
  sections.metadata.set(metadata);
  copyText(list, sections.text, sections.textStart);
  writeOptional(optional, entries, sections.text);
  return columnsFromBlock(block, meta, dictionary.strings, entries);
}

/** Returns the optional columns of the rows: those of which a row has a value. */
function copyOptional(list: BlockRows, dictionary: Dictionary): OptionalColumn[] {
  const copied: OptionalColumn[] = [];
  const seen = new Set<string>();
  for (const { optional } of list.blocks)
    for (const { name, type } of optional) {
      const key = `${type} ${name}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const column =
        type === "list" ? copyLists(name, list, dictionary) : copyElements(name, type, list, dictionary);
      if (column) copied.push(column);
    }
  return copied;
}

/** Returns the column of a name and a type that is no list; null if no row has a value. */
function copyElements(
  name: string,
  type: Exclude<OptionalType, "list">,
  { blocks, from, rows, count }: BlockRows,
  dictionary: Dictionary,
): OptionalColumn | null {
  const sources = blocks.map((block) => optionalColumn(block, name, type)?.values);
  const column = emptyElements(name, type, count);
  const { values } = column;
  let hasValue = false;
  for (let i = 0; i < count; i++) {
    const element = sources[from[i]]?.[rows[i]];
    if (element === undefined || isNone(type, element)) continue;
    values[i] = type === "string" ? dictionary.indexFor(from[i], element) : element;
    hasValue = true;
  }
  return hasValue ? column : null;
}

/** Returns the column of lists of a name; null if all lists are empty. */
function copyLists(
  name: string,
  { blocks, from, rows, count }: BlockRows,
  dictionary: Dictionary,
): OptionalColumn | null {
  const sources = blocks.map((block) => optionalColumn(block, name, "list"));
  const starts = new Uint32Array(count + 1);
  const items: number[] = [];
  for (let i = 0; i < count; i++) {
    const source = sources[from[i]];
    const end = source ? source.starts[rows[i] + 1] : 0;
    for (let at = source ? source.starts[rows[i]] : 0; source && at < end; at++)
      items.push(dictionary.indexFor(from[i], source.items[at]));
    starts[i + 1] = items.length;
  }
  return items.length > 0 ? { name, type: "list", starts, items: Uint32Array.from(items) } : null;
}

/** Decays engagement in `hot`, in place, from the time of each row's block to `time`. */
function decayEngagementTo({ blocks, from, count }: BlockRows, time: number, hot: Float32Array): void {
  const decays = blocks.map((block) => {
    const days = Math.max(0, (time - block.meta.time) / daySeconds);
    return hotHalfLives.map((halfLife) => 2 ** (-days / halfLife));
  });
  for (let i = 0; i < count; i++)
    for (let j = 0; j < hotHalfLives.length; j++) hot[i * hotHalfLives.length + j] *= decays[from[i]][j];
}

/** Returns the next products of the first `first` rows, and none for the others. */
function copyNextProducts({ blocks, from, rows, count }: BlockRows, dictionary: Dictionary, first: number) {
  const starts = new Uint32Array(count + 1);
  const weights: number[] = [];
  const names: number[] = [];
  for (let i = 0; i < first; i++) {
    const block = blocks[from[i]];
    for (let j = block.nextStart[rows[i]]; j < block.nextStart[rows[i] + 1]; j++) {
      weights.push(block.nextWeight[j]);
      names.push(
        dictionary.indexFor(from[i], block.nextName[2 * j]),
        dictionary.indexFor(from[i], block.nextName[2 * j + 1]),
      );
    }
    starts[i + 1] = weights.length;
  }
  return { starts: starts.fill(weights.length, first + 1), weights, names };
}

/** Returns the bytes of the ids and titles of all rows. */
function textBytes({ blocks, from, rows, count }: BlockRows): number {
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

/** Copies the ids, then the titles, as bytes. */
function copyText({ blocks, from, rows, count }: BlockRows, text: Uint8Array, textStart: Uint32Array): void {
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
