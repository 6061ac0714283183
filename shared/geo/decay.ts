/** Beyond this e^-x is below 5e-18, which no sum of features notices. */
const negligible = 40;

/**
 * e^-x for `x` from 0 on, and 0 where that is negligible. Distances between cities would underflow, and raising that costs
 * many times what the function does.
 */
export const decay = (x: number): number => (x < negligible ? Math.exp(-x) : 0);
