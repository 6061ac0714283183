/** Arguments from which the series below is exact enough. */
const seriesStart = 12;

/** Returns the logarithm of the gamma function of x > 0, by recurrence and Stirling's series; exact to about 1e-10. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  while (z < seriesStart) {
    shift += Math.log(z);
    z += 1;
  }
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}

/**
 * Weight of the planned shares in the prior of the true shares, in users: a fault moves a share of one half by about
 * 1.6 percentage points or more.
 */
const priorUsers = 1000;

/** Below this p-value, the sample-ratio check reports a fault. */
export const sampleRatioAlpha = 0.001;

/**
 * Returns an always-valid p-value for the hypothesis that users arrive in the variants by the planned shares: the inverse
 * of a Dirichlet-multinomial Bayes factor (Lindon and Malek, "Anytime-valid inference for multinomial count data",
 * NeurIPS 2022). With planned shares it is at or below p at any time with probability at most p. A small value says that
 * users got lost in a variant, so that the other results are not to be trusted. `shares` are relative, all above 0.
 */
export function sampleRatioPValue(counts: readonly number[], shares: readonly number[]): number {
  const totalShare = shares.reduce((sum, share) => sum + share, 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let logFactor = logGamma(priorUsers) - logGamma(priorUsers + total);
  counts.forEach((count, i) => {
    const share = shares[i] / totalShare;
    const prior = priorUsers * share;
    logFactor += logGamma(prior + count) - logGamma(prior) - count * Math.log(share);
  });
  return Math.min(1, Math.exp(-logFactor));
}
