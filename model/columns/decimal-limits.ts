import { decimalFromFloat32 } from "./decimal-from-float32.ts";

/** Where a decimal divides the numbers of a 32-bit column. */
export interface DecimalLimits {
  /** The smallest number of 32 bits whose decimal is at least the limit. */
  atLeast: number;
  /** The smallest number of 32 bits whose decimal is above the limit; infinity if there is none. */
  above: number;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Returns the number of 32 bits that follows `value` by `step` (1 or -1) in the order of numbers. */
function neighbor(value: number, step: 1 | -1): number {
  if (value === 0) return step * 2 ** -149;
  float[0] = value;
  bits[0] += value > 0 ? step : -step;
  return float[0];
}

/** Returns the smallest number of 32 bits whose decimal passes a test that all larger ones pass too. */
function smallestPassing(near: number, passes: (decimal: number) => boolean): number {
  let value = Math.fround(near);
  while (value > Number.NEGATIVE_INFINITY && passes(decimalFromFloat32(neighbor(value, -1))))
    value = neighbor(value, -1);
  while (value < Number.POSITIVE_INFINITY && !passes(decimalFromFloat32(value))) value = neighbor(value, 1);
  return value;
}

/**
 * Returns the limits for comparing the decimals of a column with `limit`, which is a number: whether the decimal of a value is
 * at least the limit is whether the value is at least `atLeast`. So a loop over rows computes no decimal.
 */
export const decimalLimitsOf = (limit: number): DecimalLimits => ({
  atLeast: smallestPassing(limit, (decimal) => decimal >= limit),
  above: smallestPassing(limit, (decimal) => decimal > limit),
});
