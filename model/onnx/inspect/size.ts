import { maxCandidatesPerRun } from "./limits.ts";

/**
 * A whole number that may depend on the number n of candidates: the coefficients of a polynomial in n, the constant
 * first, without zeros at the end. `[]` is 0, `[3]` is 3, and `[0, 16]` is 16 n. Sizes are exact for every n, so that a
 * model cannot be small for the lists that are tried and large for others.
 */
export type Size = readonly number[];

/** Largest exponent of n. */
const maxDegree = 4;

/** The number of candidates. */
export const candidateCount: Size = [0, 1];

/** Sizes are below this number: within it, numbers are exact. */
const maxExact = Number.MAX_SAFE_INTEGER;

/** Returns the polynomial of these coefficients; null if it leaves the range in which numbers are exact. */
function sizeOf(coefficients: readonly number[]): Size | null {
  let length = coefficients.length;
  while (length > 0 && coefficients[length - 1] === 0) length--;
  const size = coefficients.slice(0, length);
  const isExact = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < maxExact;
  return length <= maxDegree + 1 && size.every(isExact) ? size : null;
}

/** Returns a constant; null if it is not a whole number in the exact range. */
export const constantSize = (value: number): Size | null => sizeOf([value]);

/**
 * Returns a number of a file. One that is not exact, such as the largest 64-bit number, stands for a number beyond all
 * sizes: it may be the end of a slice, but nothing is computed from it.
 */
export const literalSize = (value: number): Size => constantSize(value) ?? [value < 0 ? -maxExact : maxExact];

/** Returns whether a number is beyond all sizes. */
export const isBeyondExact = (size: Size): boolean => size.some((value) => Math.abs(value) >= maxExact);

/** Returns whether the absolute value is below `bound` for every number of candidates. */
export const isWithin = (size: Size, bound: number): boolean =>
  sizeAt(size.map(Math.abs), maxCandidatesPerRun) < bound;

/** Returns the value of a constant; null for a size that depends on n. */
export const constantOf = (size: Size): number | null => (size.length > 1 ? null : (size[0] ?? 0));

/** Returns the value for `n` candidates. */
export const sizeAt = (size: Size, n: number): number =>
  size.reduceRight((sum, coefficient) => sum * n + coefficient, 0);

export const equalSizes = (a: Size, b: Size): boolean =>
  a.length === b.length && a.every((coefficient, i) => coefficient === b[i]);

/** Returns `a + factor * b`; null if it is not exact. */
export function addSizes(a: Size, b: Size, factor = 1): Size | null {
  if (isBeyondExact(a) || isBeyondExact(b)) return null;
  const length = Math.max(a.length, b.length);
  return sizeOf(Array.from({ length }, (_, i) => (a[i] ?? 0) + factor * (b[i] ?? 0)));
}

/** Returns the product; null if it is not exact. */
export function multiplySizes(a: Size, b: Size): Size | null {
  if (isBeyondExact(a) || isBeyondExact(b)) return null;
  const product = new Array<number>(Math.max(0, a.length + b.length - 1)).fill(0);
  a.forEach((x, i) => {
    b.forEach((y, j) => {
      product[i + j] += x * y;
    });
  });
  return sizeOf(product);
}

/** Returns the quotient of a division without remainder for every n; null if there is none. */
export function divideSizes(a: Size, b: Size): Size | null {
  if (b.length === 0 || isBeyondExact(a) || isBeyondExact(b)) return null;
  const rest = [...a];
  const quotient = new Array<number>(Math.max(0, a.length - b.length + 1)).fill(0);
  for (let i = quotient.length - 1; i >= 0; i--) {
    const factor = rest[i + b.length - 1] / b[b.length - 1];
    if (!Number.isInteger(factor)) return null;
    quotient[i] = factor;
    b.forEach((coefficient, j) => {
      rest[i + j] -= factor * coefficient;
    });
  }
  return rest.every((coefficient) => coefficient === 0) ? sizeOf(quotient) : null;
}

/** Returns whether a size never falls with n, and so is largest for the longest list. */
const grows = (size: Size): boolean => size.slice(1).every((coefficient) => coefficient >= 0);

/** Returns whether a size can be one of a dimension: not negative, and largest for the longest list. */
export const isDimension = (size: Size): boolean => grows(size) && sizeAt(size, 1) >= 0;

/** Returns whether `a` is at most `b` for every number of candidates; false also if that is not certain. */
export function isAtMost(a: Size, b: Size): boolean {
  const difference = addSizes(b, a, -1);
  if (difference === null) return false;
  const falls = grows(difference.map((coefficient) => -coefficient));
  return isDimension(difference) || (falls && sizeAt(difference, maxCandidatesPerRun) >= 0);
}

/**
 * Returns the sign of `a - b` if it is the same for every number of candidates: -1, 0 or 1; null if it differs or is not
 * certain.
 */
export function compareSizes(a: Size, b: Size): -1 | 0 | 1 | null {
  if (isBeyondExact(a) || isBeyondExact(b)) return null;
  if (equalSizes(a, b)) return 0;
  const [nextOfA, nextOfB] = [addSizes(a, [1]), addSizes(b, [1])];
  if (nextOfA && isAtMost(nextOfA, b)) return -1;
  return nextOfB && isAtMost(nextOfB, a) ? 1 : null;
}

/** Returns a size as text, for example `16n`. */
export const sizeText = (size: Size): string =>
  size.length === 0
    ? "0"
    : size
        .map((coefficient, power) =>
          power === 0
            ? `${coefficient}`
            : `${coefficient === 1 ? "" : coefficient}n${power > 1 ? `^${power}` : ""}`,
        )
        .filter((_, power) => size[power] !== 0)
        .reverse()
        .join("+");
