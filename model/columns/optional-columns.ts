import type { ColumnValue } from "../../shared/contracts/column-value.ts";
import { noString } from "./layout.ts";

/** Values of the type `boolean` in a column: false, true, and none. */
export const booleanValue = { no: 0, yes: 1, none: 2 } as const;

/**
 * A column that a block has only if one of its rows has a value: an optional field of products, or a declared
 * attribute. Row `i` is element `i`.
 *
 * - `string`: an index into the block's `strings`, {@link noString} for none.
 * - `number`, `time`: the number, or seconds since the epoch; NaN for none.
 * - `boolean`: one of {@link booleanValue}.
 * - `list`: indices into the block's `strings`, from `items[starts[i]]` to `items[starts[i + 1] - 1]`; an empty list is
 *   none.
 */
export type OptionalColumn =
  | { name: string; type: "string"; values: Uint32Array }
  | { name: string; type: "number"; values: Float64Array }
  | { name: string; type: "time"; values: Float64Array }
  | { name: string; type: "boolean"; values: Uint8Array }
  | { name: string; type: "list"; starts: Uint32Array; items: Uint32Array };
export type OptionalType = OptionalColumn["type"];

/** Returns the name of the column of a declared attribute. Fields of products have names without a period. */
export const attributeColumn = (attribute: string): string => `attributes.${attribute}`;

/** Returns whether an element of a column that is no list stands for no value. */
export const isNone = (type: Exclude<OptionalType, "list">, element: number): boolean =>
  type === "string"
    ? element === noString
    : type === "boolean"
      ? element === booleanValue.none
      : Number.isNaN(element);

/** Where a block holds an optional column: bytes from the start of the section `text`, and lengths in elements. */
interface OptionalEntry {
  name: string;
  type: OptionalType;
  at: number;
  /** Strings in all rows of a column of lists. */
  items?: number;
}
/** The entries of a block's metadata that describe its optional columns; absent if it has none. */
export type OptionalEntries = readonly OptionalEntry[];

const align = (bytes: number): number => (bytes + 7) & ~7;

/** Returns the arrays of a column, in their order in the buffer. */
const arraysOf = (column: OptionalColumn) =>
  column.type === "list" ? [column.starts, column.items] : [column.values];

/** Returns the entries of columns that follow `textBytes` bytes of text, and the bytes of text and columns together. */
export function layOutOptional(
  optional: readonly OptionalColumn[],
  textBytes: number,
): { entries: OptionalEntries; bytes: number } {
  if (optional.length === 0) return { entries: [], bytes: textBytes };
  let bytes = align(textBytes);
  const entries = optional.map((column): OptionalEntry => {
    const at = bytes;
    for (const array of arraysOf(column)) bytes += align(array.byteLength);
    const { name, type } = column;
    return column.type === "list" ? { name, type, at, items: column.items.length } : { name, type, at };
  });
  return { entries, bytes };
}

/**
 * Writes columns into the section `text`, behind the texts. Releases up to 0.2 read the texts by their own positions, and
 * so ignore what follows them.
 */
export function writeOptional(
  optional: readonly OptionalColumn[],
  entries: OptionalEntries,
  text: Uint8Array,
): void {
  optional.forEach((column, i) => {
    let { at } = entries[i];
    for (const array of arraysOf(column)) {
      text.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
      at += align(array.byteLength);
    }
  });
}

/** Returns the optional columns of a block of `count` rows, as views of its section `text`. */
export function readOptional(entries: OptionalEntries, count: number, text: Uint8Array): OptionalColumn[] {
  const { buffer, byteOffset } = text;
  return entries.map(({ name, type, at, items = 0 }): OptionalColumn => {
    const start = byteOffset + at;
    if (type === "string") return { name, type, values: new Uint32Array(buffer, start, count) };
    if (type === "boolean") return { name, type, values: new Uint8Array(buffer, start, count) };
    if (type !== "list") return { name, type, values: new Float64Array(buffer, start, count) };
    const starts = new Uint32Array(buffer, start, count + 1);
    return {
      ...{ name, type, starts },
      items: new Uint32Array(buffer, start + align(starts.byteLength), items),
    };
  });
}

/** Collects the optional columns of a block of `count` rows. Rows are set in ascending order. */
export class OptionalColumns {
  readonly #count: number;
  readonly #columns = new Map<string, OptionalColumn>();
  /** Strings of the lists, and the row of each, by the key of the column. */
  readonly #lists = new Map<string, { items: number[]; rows: number[] }>();

  constructor(count: number) {
    this.#count = count;
  }

  #column(name: string, type: OptionalType): OptionalColumn {
    const key = `${type} ${name}`;
    const known = this.#columns.get(key);
    if (known) return known;
    const made = emptyColumn(name, type, this.#count);
    this.#columns.set(key, made);
    if (type === "list") this.#lists.set(key, { items: [], rows: [] });
    return made;
  }

  /** Sets the value of a row. `indexOf` returns the index of a string in the block's dictionary. */
  set(row: number, { name, type, value }: ColumnValue, indexOf: (text: string) => number): void {
    if (type === "list") this.#setList(row, name, value.map(indexOf));
    else this.#setElement(row, name, type, type === "string" ? indexOf(value) : Number(value));
  }

  /** Sets the element of a row in a column that is no list. */
  #setElement(row: number, name: string, type: Exclude<OptionalType, "list">, element: number): void {
    const column = this.#column(name, type);
    if (column.type !== "list") column.values[row] = element;
  }

  /** Sets the strings of a row in a column of lists, as indices into the block's dictionary. */
  #setList(row: number, name: string, indices: readonly number[]): void {
    this.#column(name, "list");
    const list = this.#lists.get(`list ${name}`);
    for (const index of indices) {
      list?.items.push(index);
      list?.rows.push(row);
    }
  }

  /** Returns the columns, in the order in which their first values were set. */
  finish(): OptionalColumn[] {
    return [...this.#columns].map(([key, column]) => {
      const list = this.#lists.get(key);
      if (column.type !== "list" || !list) return column;
      for (const row of list.rows) column.starts[row + 1]++;
      for (let row = 0; row < this.#count; row++) column.starts[row + 1] += column.starts[row];
      return { ...column, items: Uint32Array.from(list.items) };
    });
  }
}

function emptyColumn(name: string, type: OptionalType, count: number): OptionalColumn {
  return type === "list"
    ? { name, type, starts: new Uint32Array(count + 1), items: new Uint32Array(0) }
    : emptyElements(name, type, count);
}

/** Returns a column that is no list, of `count` rows without values. */
export function emptyElements(
  name: string,
  type: Exclude<OptionalType, "list">,
  count: number,
): Exclude<OptionalColumn, { type: "list" }> {
  switch (type) {
    case "string":
      return { name, type, values: new Uint32Array(count).fill(noString) };
    case "number":
    case "time":
      return { name, type, values: new Float64Array(count).fill(Number.NaN) };
    case "boolean":
      return { name, type, values: new Uint8Array(count).fill(booleanValue.none) };
  }
}
