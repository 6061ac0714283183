const coefficients = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];

/**
 * Returns the probability that a standard normal number exceeds z, to about 7.5e-8 (Abramowitz and Stegun, "Handbook of
 * Mathematical Functions", 1964, formula 26.2.17).
 */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial = coefficients.reduceRight((sum, coefficient) => (sum + coefficient) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
