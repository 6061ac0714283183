import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";

/** Nobody yet. */
export const noTotals: ArmTotals = {
  people: 0,
  exposures: 0,
  successes: 0,
  exposuresSquared: 0,
  products: 0,
  successesSquared: 0,
};

/** The totals after a person's counts became (n, s) from (before.n, before.s); nobody's counts are (0, 0). */
export function withUser(
  totals: ArmTotals,
  { n, s }: { n: number; s: number },
  before: { n: number; s: number } = { n: 0, s: 0 },
): ArmTotals {
  return {
    people: totals.people + (before.n === 0 ? 1 : 0),
    exposures: totals.exposures + n - before.n,
    successes: totals.successes + s - before.s,
    exposuresSquared: totals.exposuresSquared + n * n - before.n * before.n,
    products: totals.products + n * s - before.n * before.s,
    successesSquared: totals.successesSquared + s * s - before.s * before.s,
  };
}

/** The share of exposures that were successes; 0 before the first. */
export const rateOf = ({ exposures, successes }: ArmTotals): number =>
  exposures === 0 ? 0 : successes / exposures;

/**
 * The variance of {@link rateOf}, by the delta method for a ratio of sums over people (Deng, Knoblich and Lu, "Applying the
 * delta method in metric analytics", KDD 2018); never below that of independent exposures with one success and one failure
 * more, so that an arm that has only failed so far is not thought to be certain.
 */
export function varianceOf(totals: ArmTotals): number {
  const { people, exposures, successes, exposuresSquared, products, successesSquared } = totals;
  if (people < 2) return Number.POSITIVE_INFINITY;
  const rate = rateOf(totals);
  const squares = successesSquared - 2 * rate * products + rate * rate * exposuresSquared;
  const clustered = ((people / (people - 1)) * Math.max(0, squares)) / (exposures * exposures);
  const smooth = (successes + 1) / (exposures + 2);
  return Math.max(clustered, (smooth * (1 - smooth)) / exposures);
}

/** What is known of the difference of two rates (the first less the second). */
export interface Difference {
  estimate: number;
  /** Holds the true difference at all times at once, with probability 1 - alpha; infinite before there is anything. */
  low: number;
  high: number;
}

/** How the test is set. */
export interface SequentialSettings {
  /** Probability of ever being wrong when nothing differs, over all looks together. */
  alpha: number;
  /** Standard deviation of the differences that are expected: where the test is the sharpest. It holds for any. */
  effect: number;
}

/**
 * A confidence sequence for the difference of two rates, by the mixture sequential probability ratio test with a normal
 * mixture (Robbins, Annals of Mathematical Statistics 41(5), 1970; Johari, Koomen, Pekelis and Walsh, "Always valid
 * inference", Operations Research 70(3), 2022), on the asymptotic normality of the rates. It may be looked at after each
 * event and stopped at any time: the interval is valid at all times together.
 */
export function differenceOf(
  first: ArmTotals,
  second: ArmTotals,
  { alpha, effect }: SequentialSettings,
): Difference {
  const estimate = rateOf(first) - rateOf(second);
  const variance = varianceOf(first) + varianceOf(second);
  if (!Number.isFinite(variance)) return { estimate, low: -1, high: 1 };
  const mixture = effect * effect;
  // Where the mixture's likelihood ratio against the true difference reaches 1 / alpha.
  const width = Math.sqrt(
    ((2 * variance * (variance + mixture)) / mixture) *
      (Math.log(1 / alpha) + 0.5 * Math.log((variance + mixture) / variance)),
  );
  return { estimate, low: Math.max(-1, estimate - width), high: Math.min(1, estimate + width) };
}
