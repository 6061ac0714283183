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
/** Columns whose rows are whole words, with the words of a row; the rows of the others are copied byte by byte. */
const wordColumns = rowBytes.flatMap(({ name, bytes }) =>
  bytes % 4 === 0 ? [{ name, size: bytes / 4 }] : [],
);
const byteColumns = rowBytes.flatMap(({ name, bytes }) => (bytes % 4 === 0 ? [] : [{ name, size: bytes }]));

/** Columns of one unit, word or byte, and where they are in several blocks. */
interface UnitColumns {
  /** Units of a row, by column. */
  sizes: Int32Array;
  /** Where each column starts in its block's buffer, in units: those of the first block, then those of the second. */
  starts: Int32Array;
}

function unitColumns(
  columns: readonly { name: ColumnName; size: number }[],
  blocks: readonly Pick<Columns, ColumnName>[],
  unitBytes: number,
): UnitColumns {
  const starts = new Int32Array(columns.length * blocks.length);
  let at = 0;
  for (const block of blocks)
    for (const { name } of columns) starts[at++] = block[name].byteOffset / unitBytes;
  return { sizes: Int32Array.from(columns, ({ size }) => size), starts };
}

/**
 * Copies all columns of rows of several blocks into the columns `to` of `target`, in the order of `list`. It copies row by
 * row, so that each row is looked up once, and words instead of elements: one kind of array makes the loop several times
 * as fast.
 */
export function gatherRows(
  blocks: readonly Columns[],
  list: RowSelection,
  target: ArrayBuffer,
  to: Pick<Columns, ColumnName>,
): void {
  gatherWords(
    blocks.map(({ buffer }) => new Uint32Array(buffer, 0, buffer.byteLength >> 2)),
    unitColumns(wordColumns, blocks, 4),
    list,
    new Uint32Array(target, 0, target.byteLength >> 2),
    unitColumns(wordColumns, [to], 4).starts,
  );
  gatherBytes(
    blocks.map(({ buffer }) => new Uint8Array(buffer)),
    unitColumns(byteColumns, blocks, 1),
    list,
    new Uint8Array(target),
    unitColumns(byteColumns, [to], 1).starts,
  );
}

function gatherWords(
  sources: readonly Uint32Array[],
  { sizes, starts }: UnitColumns,
  { from, rows, count }: RowSelection,
  to: Uint32Array,
  targets: Int32Array,
): void {
  const columns = sizes.length;
  for (let i = 0; i < count; i++) {
    const source = sources[from[i]];
    const row = rows[i];
    const first = from[i] * columns;
    for (let c = 0; c < columns; c++) {
      const size = sizes[c];
      let at = starts[first + c] + row * size;
      let target = targets[c] + i * size;
      for (const end = at + size; at < end; at++, target++) to[target] = source[at];
    }
  }
}

/** Does what {@link gatherWords} does. Its own loop sees one kind of array too. */
function gatherBytes(
  sources: readonly Uint8Array[],
  { sizes, starts }: UnitColumns,
  { from, rows, count }: RowSelection,
  to: Uint8Array,
  targets: Int32Array,
): void {
  const columns = sizes.length;
  for (let i = 0; i < count; i++) {
    const source = sources[from[i]];
    const row = rows[i];
    const first = from[i] * columns;
    for (let c = 0; c < columns; c++) {
      const size = sizes[c];
      let at = starts[first + c] + row * size;
      let target = targets[c] + i * size;
      for (const end = at + size; at < end; at++, target++) to[target] = source[at];
    }
  }
}
