import { chunkRows } from "./field.ts";
import { addSet, copyMask, keepUnset } from "./kernels.ts";

/** Clears the mask of those of `count` rows, from `start` on, that do not pass. */
export type Narrow = (start: number, count: number, mask: Uint8Array) => void;

/** Masks for intermediate results. An evaluation has no waits, so all share them. */
const masks: Uint8Array[] = [];

/** Returns a mask with any content; {@link returnMask} gives it back. */
export const borrowMask = (): Uint8Array => masks.pop() ?? new Uint8Array(chunkRows);
export const returnMask = (mask: Uint8Array): void => void masks.push(mask);

/** Keeps all rows. */
export const keepAll: Narrow = () => {};
/** Keeps no row. */
export const keepNone: Narrow = (_start, count, mask) => mask.fill(0, 0, count);
/** Keeps all rows, or none. */
export const constantNarrow = (passes: boolean): Narrow => (passes ? keepAll : keepNone);

/** Returns the loop that keeps the rows that both loops keep. */
export function and(left: Narrow, right: Narrow): Narrow {
  if (left === keepNone || right === keepNone) return keepNone;
  if (left === keepAll) return right;
  if (right === keepAll) return left;
  return (start, count, mask) => {
    left(start, count, mask);
    if (mask.indexOf(1) !== -1) right(start, count, mask);
  };
}

/** Returns the loop that keeps the rows that one of two loops keeps. */
export function or(left: Narrow, right: Narrow): Narrow {
  if (left === keepAll || right === keepAll) return keepAll;
  if (left === keepNone) return right;
  if (right === keepNone) return left;
  return (start, count, mask) => {
    const passed = borrowMask();
    copyMask(mask, count, passed);
    left(start, count, passed);
    // The right side is evaluated for the rows that the left side leaves open.
    keepUnset(passed, count, mask);
    right(start, count, mask);
    addSet(passed, count, mask);
    returnMask(passed);
  };
}

/** Returns the loop that keeps the rows that a loop does not keep. */
export function not(operand: Narrow): Narrow {
  if (operand === keepAll) return keepNone;
  if (operand === keepNone) return keepAll;
  return (start, count, mask) => {
    const passed = borrowMask();
    copyMask(mask, count, passed);
    operand(start, count, passed);
    keepUnset(passed, count, mask);
    returnMask(passed);
  };
}

/** Returns the loop that keeps what `ifTrue` keeps of the rows for which `condition` holds, and what `ifFalse` keeps of the others. */
export function choose(condition: Narrow, ifTrue: Narrow, ifFalse: Narrow): Narrow {
  return (start, count, mask) => {
    const chosen = borrowMask();
    copyMask(mask, count, chosen);
    condition(start, count, chosen);
    keepUnset(chosen, count, mask);
    ifTrue(start, count, chosen);
    ifFalse(start, count, mask);
    addSet(chosen, count, mask);
    returnMask(chosen);
  };
}
