import type { Columns } from "./columns.ts";
import { type ColumnName, columnLayout, elementBytes } from "./layout.ts";

/** Rows of several blocks: the i-th is row `rows[i]` of the block numbered `from[i]`. */
export interface RowSelection {
  from: readonly number[];
  rows: readonly number[];
  count: number;
}

/** Bytes of one row in each column. */
const rowBytes = columnLayout.map(({ name, type, width }) => ({ name, bytes: width * elementBytes[type] }));

/**
 * Units of a row, each a word or a byte, of all columns one after another: the column of each unit, its place in the row of
 * this column, and the units from one row of the column to the next.
 */
interface RowUnits {
  columns: readonly ColumnName[];
  places: readonly number[];
  steps: Int32Array;
}

function unitsOf(columns: typeof rowBytes, unitBytes: number): RowUnits {
  const units = columns.flatMap(({ name, bytes }) => {
    const step = bytes / unitBytes;
    return Array.from({ length: step }, (_, place) => ({ name, place, step }));
  });
  return {
    columns: units.map(({ name }) => name),
    places: units.map(({ place }) => place),
    steps: Int32Array.from(units, ({ step }) => step),
  };
}

/** Units of the columns whose rows are whole words, and of the others, whose rows are copied byte by byte. */
const wordUnits = unitsOf(
  rowBytes.filter(({ bytes }) => bytes % 4 === 0),
  4,
);
const byteUnits = unitsOf(
  rowBytes.filter(({ bytes }) => bytes % 4 !== 0),
  1,
);

/** A block's buffer as words and as bytes, and where each unit of its first row is. */
interface BlockUnits {
  words: Uint32Array;
  wordStarts: Int32Array;
  bytes: Uint8Array;
  byteStarts: Int32Array;
}

function locateUnits(buffer: ArrayBuffer, block: Pick<Columns, ColumnName>): BlockUnits {
  const startsOf = ({ columns, places }: RowUnits, unitBytes: number): Int32Array =>
    Int32Array.from(columns, (name, unit) => block[name].byteOffset / unitBytes + places[unit]);
  return {
    words: new Uint32Array(buffer, 0, buffer.byteLength >> 2),
    wordStarts: startsOf(wordUnits, 4),
    bytes: new Uint8Array(buffer),
    byteStarts: startsOf(byteUnits, 1),
  };
}

const cachedUnits = new WeakMap<Columns, BlockUnits>();

/** Returns the units of a block. They are cached per block. */
function unitsIn(block: Columns): BlockUnits {
  let units = cachedUnits.get(block);
  if (!units) {
    units = locateUnits(block.buffer, block);
    cachedUnits.set(block, units);
  }
  return units;
}

/**
 * Copies all columns of rows of several blocks into the columns `to` of `target`, in the order of `list`. It copies row by
 * row, so that each row is looked up once, and words instead of elements. One flat loop over one kind of array is several
 * times as fast as a loop for each column.
 */
export function gatherRows(
  blocks: readonly Columns[],
  list: RowSelection,
  target: ArrayBuffer,
  to: Pick<Columns, ColumnName>,
): void {
  const sources = blocks.map(unitsIn);
  const targets = locateUnits(target, to);
  gatherWords(sources, list, targets);
  gatherBytes(sources, list, targets);
}

function gatherWords(
  sources: readonly BlockUnits[],
  { from, rows, count }: RowSelection,
  { words: to, wordStarts: targets }: BlockUnits,
): void {
  const { steps } = wordUnits;
  for (let i = 0; i < count; i++) {
    const { words, wordStarts } = sources[from[i]];
    const row = rows[i];
    for (let unit = 0; unit < steps.length; unit++)
      to[targets[unit] + i * steps[unit]] = words[wordStarts[unit] + row * steps[unit]];
  }
}

/** Does what {@link gatherWords} does. Its own loop sees one kind of array too. */
function gatherBytes(
  sources: readonly BlockUnits[],
  { from, rows, count }: RowSelection,
  { bytes: to, byteStarts: targets }: BlockUnits,
): void {
  const { steps } = byteUnits;
  for (let i = 0; i < count; i++) {
    const { bytes, byteStarts } = sources[from[i]];
    const row = rows[i];
    for (let unit = 0; unit < steps.length; unit++)
      to[targets[unit] + i * steps[unit]] = bytes[byteStarts[unit] + row * steps[unit]];
  }
}
