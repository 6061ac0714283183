import type { DecimalLimits } from "../columns/decimal-limits.ts";
import type { ArithmeticOperator, ComparisonOperator } from "./tree.ts";

// The loops over rows. Each has one operation and arrays of one type, so that the engine compiles it to a tight loop. A
// mask has 1 for each row that still passes, 0 for the others.

/** Clears the mask of the rows whose value does not compare with a limit. */
export type LimitKernel = (values: Float64Array, limit: number, count: number, mask: Uint8Array) => void;

/** {@link LimitKernel} by operator. A comparison with NaN, which stands for absent, is false; `!=` too. */
export const compareWithLimit: Readonly<Record<ComparisonOperator, LimitKernel>> = {
  "<": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] < limit ? 1 : 0;
  },
  "<=": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] <= limit ? 1 : 0;
  },
  ">": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] > limit ? 1 : 0;
  },
  ">=": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] >= limit ? 1 : 0;
  },
  "==": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] === limit ? 1 : 0;
  },
  "!=": (values, limit, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= values[i] < limit || values[i] > limit ? 1 : 0;
  },
};

/** Clears the mask of the rows of a column, from `start` on, whose decimal does not compare with a limit. */
export type DecimalKernel = (
  column: Float32Array,
  { atLeast, above }: DecimalLimits,
  start: number,
  count: number,
  mask: Uint8Array,
) => void;

/** {@link DecimalKernel} by operator; it compares as {@link compareWithLimit} does. */
export const compareDecimals: Readonly<Record<ComparisonOperator, DecimalKernel>> = {
  "<": (column, { atLeast }, start, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= column[start + i] < atLeast ? 1 : 0;
  },
  "<=": (column, { above }, start, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= column[start + i] < above ? 1 : 0;
  },
  ">": (column, { above }, start, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= column[start + i] >= above ? 1 : 0;
  },
  ">=": (column, { atLeast }, start, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= column[start + i] >= atLeast ? 1 : 0;
  },
  "==": (column, { atLeast, above }, start, count, mask) => {
    for (let i = 0; i < count; i++)
      mask[i] &= column[start + i] >= atLeast && column[start + i] < above ? 1 : 0;
  },
  "!=": (column, { atLeast, above }, start, count, mask) => {
    for (let i = 0; i < count; i++)
      mask[i] &= column[start + i] < atLeast || column[start + i] >= above ? 1 : 0;
  },
};

/** Clears the mask of the rows whose two values do not compare. */
export type PairKernel = (left: Float64Array, right: Float64Array, count: number, mask: Uint8Array) => void;

/** {@link PairKernel} by operator. */
export const comparePairs: Readonly<Record<ComparisonOperator, PairKernel>> = {
  "<": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] < right[i] ? 1 : 0;
  },
  "<=": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] <= right[i] ? 1 : 0;
  },
  ">": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] > right[i] ? 1 : 0;
  },
  ">=": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] >= right[i] ? 1 : 0;
  },
  "==": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] === right[i] ? 1 : 0;
  },
  "!=": (left, right, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= left[i] < right[i] || left[i] > right[i] ? 1 : 0;
  },
};

/** Returns the result of a calculation; NaN, which stands for absent, for a division by zero. */
export function calculate(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? Number.NaN : left / right;
    case "%":
      return left % right;
  }
}

/** Writes the results of a calculation with the values of each row to `out`, which may be one of the inputs. */
export type ArithmeticKernel = (
  left: Float64Array,
  right: Float64Array,
  count: number,
  out: Float64Array,
) => void;

/** {@link ArithmeticKernel} by operator; it computes as {@link calculate} does. */
export const calculateRows: Readonly<Record<ArithmeticOperator, ArithmeticKernel>> = {
  "+": (left, right, count, out) => {
    for (let i = 0; i < count; i++) out[i] = left[i] + right[i];
  },
  "-": (left, right, count, out) => {
    for (let i = 0; i < count; i++) out[i] = left[i] - right[i];
  },
  "*": (left, right, count, out) => {
    for (let i = 0; i < count; i++) out[i] = left[i] * right[i];
  },
  "/": (left, right, count, out) => {
    for (let i = 0; i < count; i++) out[i] = right[i] === 0 ? Number.NaN : left[i] / right[i];
  },
  "%": (left, right, count, out) => {
    for (let i = 0; i < count; i++) out[i] = left[i] % right[i];
  },
};

/** Clears the mask of the rows that have another element than `wanted`. */
export function keepElement(
  column: Uint32Array,
  wanted: number,
  start: number,
  count: number,
  mask: Uint8Array,
): void {
  for (let i = 0; i < count; i++) mask[i] &= column[start + i] === wanted ? 1 : 0;
}

/** Clears the mask of the rows that have another flag than `wanted`. */
export function keepFlag(
  column: Uint8Array,
  wanted: number,
  start: number,
  count: number,
  mask: Uint8Array,
): void {
  for (let i = 0; i < count; i++) mask[i] &= column[start + i] === wanted ? 1 : 0;
}

/** Clears the mask of the rows that are set in `other`. */
export function keepUnset(other: Uint8Array, count: number, mask: Uint8Array): void {
  for (let i = 0; i < count; i++) mask[i] &= other[i] ^ 1;
}

/** Adds the rows that are set in `other` to the mask. */
export function addSet(other: Uint8Array, count: number, mask: Uint8Array): void {
  for (let i = 0; i < count; i++) mask[i] |= other[i];
}

/** Copies the first `count` elements of a mask, and clears the rest. */
export function copyMask(from: Uint8Array, count: number, to: Uint8Array): void {
  for (let i = 0; i < count; i++) to[i] = from[i];
  to.fill(0, count);
}
