import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { type RateDifference, rateDifference, rateOf, type SequentialSettings } from "./sequential.ts";

/** Users that each arm needs before a candidate is called worse: below, the rates are far from normal. */
const minUsersForWorse = 10;

/** When an experiment has enough data for a verdict, and what loss is acceptable. */
export interface VerdictSettings extends SequentialSettings {
  /** Users and exposures that each arm needs before a candidate is called good: the test relies on the normal limit. */
  minUsers: number;
  minExposures: number;
  /** Largest acceptable loss of the candidate, as a share (0 to 1) of the control's rate. */
  margin: number;
}

/** The result of comparing a candidate with the control. */
export interface Verdict {
  /**
   * `worse`: significantly worse than the control. `good`: significantly better, or significantly not worse by more
   * than the margin. `open`: undecided.
   */
  verdict: "good" | "worse" | "open";
  difference: RateDifference;
  /** One line with the verdict and its figures. */
  reason: string;
}

const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;

/**
 * Returns the verdict on a candidate by an always-valid interval; it may be called at any time and any number of times.
 * With probability 1 - alpha, an equally good candidate is never called worse, and one worse by more than the margin
 * never good.
 */
export function verdictOf(candidate: ArmTotals, control: ArmTotals, settings: VerdictSettings): Verdict {
  const difference = rateDifference(candidate, control, settings);
  const { low, high, estimate } = difference;
  const figures = `${percent(rateOf(candidate))} of ${candidate.exposures} against ${percent(rateOf(control))} of ${control.exposures} exposures, difference ${percent(estimate)} (${percent(low)} to ${percent(high)})`;
  const people = Math.min(candidate.people, control.people);
  // A loss is looked at first: few users do not excuse it.
  if (people >= minUsersForWorse && high < 0)
    return { verdict: "worse", difference, reason: `significantly worse: ${figures}` };
  if (people < settings.minUsers || Math.min(candidate.exposures, control.exposures) < settings.minExposures)
    return { verdict: "open", difference, reason: `too few users or exposures: ${figures}` };
  const bound = settings.margin * rateOf(control);
  if (low > 0) return { verdict: "good", difference, reason: `significantly better: ${figures}` };
  if (low > -bound)
    return {
      verdict: "good",
      difference,
      reason: `significantly not worse by ${percent(bound)}: ${figures}`,
    };
  return { verdict: "open", difference, reason: `undecided: ${figures}` };
}

/** How far an undecided candidate must be from a loss. */
export interface LossSettings {
  /** Probability that a candidate with the loss passes, over all evaluations. */
  maxLossAlpha: number;
  /** The loss that must be excluded, as a share (0 to 1) of the control's rate. */
  maxLoss: number;
}

/**
 * Returns whether a candidate is at least equal by its estimate, and a loss of `maxLoss` is excluded. The bound is
 * one-sided and always valid: a candidate with that loss passes with a probability of at most `maxLossAlpha`, however
 * often this is called. It is narrowest for a loss of that size, so that few users are enough.
 */
export function excludesLoss(
  candidate: ArmTotals,
  control: ArmTotals,
  { maxLoss, maxLossAlpha }: LossSettings,
): boolean {
  const bound = maxLoss * rateOf(control);
  if (bound === 0) return false;
  const { estimate, low } = rateDifference(candidate, control, { alpha: 2 * maxLossAlpha, effect: bound });
  return estimate >= 0 && low > -bound;
}
