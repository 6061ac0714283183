import type { Columns } from "../columns/columns.ts";
import type { ExpressionContext } from "./context.ts";

/** Rows that an expression works on at a time, so that intermediate values stay in the processor's cache. */
export const chunkRows = 1024;

/**
 * Reads the numbers of `count` rows from `start` on; NaN stands for absent. Returns them from index 0 on: in `out`, or as
 * a view of a column. Rows whose `mask` is 0 may get any number.
 */
export type NumberReader = (
  start: number,
  count: number,
  mask: Uint8Array,
  out: Float64Array,
) => Float64Array;

/** Lists of a column: row `i` has the strings `items[starts[i]]` to `items[starts[i + 1] - 1]` of the dictionary. */
export interface ListColumn {
  starts: Uint32Array;
  items: Uint32Array;
}

/** UTF-8 texts of a column: row `i` is `bytes[starts[i]]` to `bytes[starts[i + 1] - 1]`. */
export interface TextColumn {
  bytes: Uint8Array;
  starts: Uint32Array;
}

/** A property of products of which a condition gives a bound for whole cells. */
export type BoundedProperty = "price" | "discount" | "distance" | "category";

interface FieldFacts {
  /** What the field is, in one sentence without its name. */
  description: string;
  /** The bound that a comparison with the field gives. */
  bounds?: BoundedProperty;
  /** Whether the field is an amount of money, which needs a decided currency. */
  isMoney?: boolean;
}

/** A number (seconds since the epoch, for a time) of each product. Null for a block without the column. */
export interface NumberField extends FieldFacts {
  kind: "numbers";
  type: "number" | "time";
  numbers(columns: Columns, context: ExpressionContext): NumberReader | null;
  /** The column whose decimals the numbers are, if they are nothing else: it compares with a limit without decimals. */
  decimals?(columns: Columns): Float32Array;
}

/** A string of each product, as an index into the block's `strings`. Null for a block without the column. */
export interface StringField extends FieldFacts {
  kind: "strings";
  type: "string";
  indices(columns: Columns): Uint32Array | null;
}

/** A string of each product that is in no dictionary. */
export interface TextField extends FieldFacts {
  kind: "texts";
  type: "string";
  texts(columns: Columns): TextColumn;
}

/** A flag of each product: 0 for false, 1 for true, 2 for absent. Null for a block without the column. */
export interface FlagField extends FieldFacts {
  kind: "flags";
  type: "boolean";
  flags(columns: Columns, context: ExpressionContext): Uint8Array | null;
}

/** Strings of each product. Null for a block without the column. */
export interface ListField extends FieldFacts {
  kind: "lists";
  type: "list";
  lists(columns: Columns): ListColumn | null;
  /** Whether an item is the start of a path, separated by ` > `, that it contains. */
  isPath: boolean;
}

/** A value that is the same for all products; null stands for absent. */
export type ContextField = FieldFacts &
  (
    | { kind: "context"; type: "number" | "time"; value(context: ExpressionContext): number | null }
    | { kind: "context"; type: "string"; value(context: ExpressionContext): string | null }
    | { kind: "context"; type: "boolean"; value(context: ExpressionContext): boolean | null }
  );

/** What an expression reads by one name. */
export type Field = NumberField | StringField | TextField | FlagField | ListField | ContextField;

/** The fields that an expression may read, by their dotted names. */
export type FieldTable = ReadonlyMap<string, Field>;
