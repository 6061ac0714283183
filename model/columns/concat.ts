import { type BlockMeta, type BlockParts, type Columns, columnsFrom, noString } from "./columns.ts";
import { allocate, columnLayout, type Elements, hotHalfLives } from "./layout.ts";

/** Rows of blocks: the i-th is row `rows[i]` of `blocks[from[i]]`. */
export interface RowList {
  blocks: readonly Columns[];
  from: ArrayLike<number>;
  rows: ArrayLike<number>;
  count: number;
}

/** Copies a column, element by element or, where it is wide, row by row. */
function copyColumn(
  { blocks, from, rows, count }: RowList,
  name: keyof Columns,
  width: number,
  to: Elements,
): void {
  const sources = blocks.map((block) => block[name] as Elements);
  if (width === 1) for (let i = 0; i < count; i++) to[i] = sources[from[i]][rows[i]];
  else
    for (let i = 0; i < count; i++) {
      const source = sources[from[i]];
      const start = rows[i] * width;
      for (let j = 0; j < width; j++) to[i * width + j] = source[start + j];
    }
}

/** Gives strings of several dictionaries their place in one. */
class Dictionary {
  readonly strings: string[] = [];
  readonly #indexOf = new Map<string, number>();
  readonly #known = new Map<Columns, Int32Array>();

  /** Index here of string `index` of a block's dictionary. */
  of(block: Columns, index: number): number {
    if (index === noString) return noString;
    let known = this.#known.get(block);
    if (!known) {
      known = new Int32Array(block.strings.length).fill(-1);
      this.#known.set(block, known);
    }
    if (known[index] < 0) known[index] = this.#intern(block.strings[index]);
    return known[index];
  }

  #intern(text: string): number {
    const at = this.#indexOf.get(text);
    if (at !== undefined) return at;
    this.#indexOf.set(text, this.strings.length);
    return this.strings.push(text) - 1;
  }
}

/**
 * A block of rows of other blocks, in the order given. Decayed columns are carried from their block's time to that of
 * `meta`, so that rows of blocks of different ages compare. Neighbours come along for rows below `withNeighbours`.
 */
export function concat(list: RowList, meta: BlockMeta, withNeighbours = 0): Columns {
  const { blocks, from, count } = list;
  const arrays: Record<string, Elements> = {};
  for (const { name, type, width } of columnLayout) {
    arrays[name] = allocate(type, count * width);
    copyColumn(list, name, width, arrays[name]);
  }
  const decays = blocks.map((block) => {
    const days = Math.max(0, (meta.time - block.meta.time) / 86_400);
    return hotHalfLives.map((halfLife) => 2 ** (-days / halfLife));
  });
  const dictionary = new Dictionary();
  const strings = ["category", "currency", "cell"].map((name) => arrays[name]);
  for (let i = 0; i < count; i++) {
    const block = blocks[from[i]];
    for (const column of strings) column[i] = dictionary.of(block, column[i]);
    for (let j = 0; j < hotHalfLives.length; j++)
      arrays.hot[i * hotHalfLives.length + j] *= decays[from[i]][j];
  }
  return columnsFrom({
    ...(arrays as never as BlockParts),
    meta,
    count,
    ...neighboursOf(list, dictionary, withNeighbours),
    strings: dictionary.strings,
    ...textOf(list),
  });
}

function neighboursOf(
  { blocks, from, rows, count }: RowList,
  dictionary: Dictionary,
  withNeighbours: number,
) {
  const neighbourStart = new Uint32Array(count + 1);
  const hashes: number[] = [];
  const weights: number[] = [];
  const names: number[] = [];
  for (let i = 0; i < count; i++) {
    const block = blocks[from[i]];
    const row = rows[i];
    if (i < withNeighbours)
      for (let j = block.neighbourStart[row]; j < block.neighbourStart[row + 1]; j++) {
        hashes.push(block.neighbourHash[j]);
        weights.push(block.neighbourWeight[j]);
        names.push(
          dictionary.of(block, block.neighbourName[2 * j]),
          dictionary.of(block, block.neighbourName[2 * j + 1]),
        );
      }
    neighbourStart[i + 1] = hashes.length;
  }
  return {
    neighbourStart,
    neighbourHash: Float64Array.from(hashes),
    neighbourWeight: Float32Array.from(weights),
    neighbourName: Uint32Array.from(names),
  };
}

/** Ids, then titles, copied as bytes. */
function textOf({ blocks, from, rows, count }: RowList): { text: Uint8Array; textStart: Uint32Array } {
  const textStart = new Uint32Array(2 * count + 1);
  let to = 0;
  for (const part of [0, 1])
    for (let i = 0; i < count; i++) {
      const block = blocks[from[i]];
      const at = part * block.count + rows[i];
      to += block.textStart[at + 1] - block.textStart[at];
      textStart[part * count + i + 1] = to;
    }
  const text = new Uint8Array(to);
  to = 0;
  for (const part of [0, 1])
    for (let i = 0; i < count; i++) {
      const block = blocks[from[i]];
      const at = part * block.count + rows[i];
      const end = block.textStart[at + 1];
      for (let j = block.textStart[at]; j < end; j++) text[to++] = block.text[j];
    }
  return { text, textStart };
}
