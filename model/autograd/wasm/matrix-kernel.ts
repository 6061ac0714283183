import {
  add,
  assign,
  atLeast,
  type Code,
  constant,
  f32x4,
  get,
  increase,
  lessThan,
  loopWhile,
  moduleOf,
  multiply,
  repeatWhile,
  subtract,
  when,
} from "./assembler.ts";

/** Bytes of a number. */
const bytes = 4;
/** Rows that the kernel processes at a time; the remaining rows follow one by one. */
const rowsAtATime = 4;
/** Most vectors of columns at a time: with {@link rowsAtATime} rows, the sums take eight of 16 registers. */
const maxVectors = 2;

/** Parameters, as local variables. Addresses and steps are in bytes. */
const [a, aRowStep, aStep, b, out, rows, columns, depth] = [0, 1, 2, 3, 4, 5, 6, 7];
const parameters = 8;
/** Numbers of the current row and column, the remaining depth, and bytes between two rows of b and out. */
const [row, column, remaining, rowBytes] = [8, 9, 10, 11];
/** Addresses in b, and per row in a and out. */
const bAt = 12;
const aAt = (r: number): number => 13 + r;
const outAt = (r: number): number => aAt(rowsAtATime) + r;
const integers = outAt(rowsAtATime) - parameters;
/** Vectors: sums of each row, and numbers of b. */
const sum = (r: number, v: number): number => parameters + integers + r * maxVectors + v;
const ofB = (v: number): number => sum(rowsAtATime, 0) + v;
const vectors = ofB(maxVectors) - parameters - integers;

const upTo = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Returns code that computes a block: `height` rows, and `width` vectors of `lanes` columns. */
function block(height: number, width: number, lanes: 1 | 2 | 4): Code {
  const offset = (v: number): number => v * lanes * bytes;
  const each = (code: (r: number, v: number) => Code): Code =>
    upTo(height).flatMap((r) => upTo(width).flatMap((v) => code(r, v)));
  return [
    ...assign(bAt, get(b), get(column), constant(bytes), multiply, add),
    ...upTo(height).flatMap((r) => [
      ...assign(aAt(r), get(a), get(row), constant(r), add, get(aRowStep), multiply, add),
      ...assign(
        outAt(r),
        ...[get(out), get(row), constant(r), add, get(rowBytes), multiply, add],
        ...[get(column), constant(bytes), multiply, add],
      ),
    ]),
    ...each((r, v) => assign(sum(r, v), get(outAt(r)), f32x4.load[lanes](offset(v)))),
    ...assign(remaining, get(depth)),
    ...repeatWhile(
      get(remaining),
      ...upTo(width).map((v) => assign(ofB(v), get(bAt), f32x4.load[lanes](offset(v)))),
      each((r, v) =>
        assign(
          sum(r, v),
          ...[get(sum(r, v)), get(aAt(r)), f32x4.loadSplat, get(ofB(v)), f32x4.multiply, f32x4.add],
        ),
      ),
      ...upTo(height).map((r) => increase(aAt(r), get(aStep))),
      increase(bAt, get(rowBytes)),
      assign(remaining, get(remaining), constant(1), subtract),
    ),
    ...each((r, v) => [...get(outAt(r)), ...get(sum(r, v)), ...f32x4.store[lanes](offset(v))]),
    ...increase(column, constant(width * lanes)),
  ];
}

/** Returns code that computes `height` rows. */
function rowsOf(height: number): Code {
  const atLeastLeft = (count: number): Code => [
    ...get(columns),
    ...get(column),
    ...subtract,
    ...constant(count),
    ...atLeast,
  ];
  return [
    ...assign(column, constant(0)),
    ...loopWhile(atLeastLeft(8), block(height, 2, 4)),
    ...when(atLeastLeft(4), block(height, 1, 4)),
    ...when(atLeastLeft(2), block(height, 1, 2)),
    ...when(atLeastLeft(1), block(height, 1, 1)),
    ...increase(row, constant(height)),
  ];
}

/**
 * Returns the module with the function `multiplyAdd(a, aRowStep, aStep, b, out, rows, columns, depth)`. It adds the
 * product of a [rows, depth] and b [depth, columns] to out [rows, columns], in 32 bits. b and out are row by row; the
 * steps between two rows and between two columns of a are free, so that a can be a transpose. Addresses and steps are
 * in bytes; the depth is at least 1.
 */
export function matrixKernel(): Uint8Array<ArrayBuffer> {
  const untilRow = (count: number): Code => [
    ...get(row),
    ...get(rows),
    ...constant(count - 1),
    ...subtract,
    ...lessThan,
  ];
  return moduleOf("multiplyAdd", { parameters, integers, vectors }, [
    ...assign(rowBytes, get(columns), constant(bytes), multiply),
    ...loopWhile(untilRow(rowsAtATime), rowsOf(rowsAtATime)),
    ...loopWhile(untilRow(1), rowsOf(1)),
  ]);
}
