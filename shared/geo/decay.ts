/** From this `x` on, e^-x is below 5e-18, too small to change a sum of features. */
const negligible = 40;

/**
 * Returns e^-x for `x` >= 0, and 0 where the value is negligible. For large `x`, such as distances between cities,
 * `Math.exp` underflows, which takes many times longer.
 */
export const decay = (x: number): number => (x < negligible ? Math.exp(-x) : 0);
