import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";

/** Totals of an arm without users. */
export const emptyArmTotals: ArmTotals = {
  people: 0,
  exposures: 0,
  successes: 0,
  exposuresSquared: 0,
  exposuresTimesSuccesses: 0,
  successesSquared: 0,
};

/**
 * Returns the totals after one user's counts change from `before` to (n, s), where n is the number of exposures and s
 * the number of successes. A new user has (0, 0) before.
 */
export function updateArmTotals(
  totals: ArmTotals,
  { n, s }: { n: number; s: number },
  before: { n: number; s: number } = { n: 0, s: 0 },
): ArmTotals {
  return {
    people: totals.people + (before.n === 0 ? 1 : 0),
    exposures: totals.exposures + n - before.n,
    successes: totals.successes + s - before.s,
    exposuresSquared: totals.exposuresSquared + n * n - before.n * before.n,
    exposuresTimesSuccesses: totals.exposuresTimesSuccesses + n * s - before.n * before.s,
    successesSquared: totals.successesSquared + s * s - before.s * before.s,
  };
}

/** Returns the share of exposures that were successes; 0 without exposures. */
export const rateOf = ({ exposures, successes }: ArmTotals): number =>
  exposures === 0 ? 0 : successes / exposures;

/**
 * Returns the variance of {@link rateOf}, by the delta method for a ratio of sums over users (Deng, Knoblich and Lu,
 * "Applying the delta method in metric analytics", KDD 2018). The variance is never below that of independent exposures
 * with one extra success and one extra failure. Otherwise an arm without any success would have a variance of 0.
 */
export function varianceOf(totals: ArmTotals): number {
  const { people, exposures, successes, exposuresSquared, exposuresTimesSuccesses, successesSquared } =
    totals;
  if (people < 2) return Number.POSITIVE_INFINITY;
  const rate = rateOf(totals);
  const squares = successesSquared - 2 * rate * exposuresTimesSuccesses + rate * rate * exposuresSquared;
  const clustered = ((people / (people - 1)) * Math.max(0, squares)) / (exposures * exposures);
  const smooth = (successes + 1) / (exposures + 2);
  return Math.max(clustered, (smooth * (1 - smooth)) / exposures);
}

/** The estimated difference of two rates: the first minus the second. */
export interface RateDifference {
  estimate: number;
  /**
   * Bounds of the confidence sequence: with probability 1 - alpha, the interval contains the true difference at all
   * times together. -1 and 1 while an arm has fewer than two users.
   */
  low: number;
  high: number;
}

/** Parameters of the sequential test. */
export interface SequentialSettings {
  /** Probability of a false positive over all evaluations of the test. */
  alpha: number;
  /**
   * Standard deviation of the expected differences. The test is valid for any value and most powerful near the true
   * effect.
   */
  effect: number;
}

/**
 * Returns a confidence sequence for the difference of two rates, by the mixture sequential probability ratio test with
 * a normal mixture (Robbins, Annals of Mathematical Statistics 41(5), 1970; Johari, Koomen, Pekelis and Walsh, "Always
 * valid inference", Operations Research 70(3), 2022). The test relies on the asymptotic normality of the rates. It may
 * be evaluated after each event and stopped at any time: the interval is valid at all times together.
 */
export function rateDifference(
  first: ArmTotals,
  second: ArmTotals,
  { alpha, effect }: SequentialSettings,
): RateDifference {
  const estimate = rateOf(first) - rateOf(second);
  const variance = varianceOf(first) + varianceOf(second);
  if (!Number.isFinite(variance)) return { estimate, low: -1, high: 1 };
  const mixture = effect * effect;
  // The half width at which the mixture's likelihood ratio against the true difference reaches 1 / alpha.
  const width = Math.sqrt(
    ((2 * variance * (variance + mixture)) / mixture) *
      (Math.log(1 / alpha) + 0.5 * Math.log((variance + mixture) / variance)),
  );
  return { estimate, low: Math.max(-1, estimate - width), high: Math.min(1, estimate + width) };
}
