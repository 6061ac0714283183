import type { ArmTotals } from "../../shared/experiments/arm-totals.ts";
import { type Difference, differenceOf, rateOf, type SequentialSettings } from "./sequential.ts";

/** When there is enough to say something, and what is good enough. */
export interface VerdictSettings extends SequentialSettings {
  /** People and exposures that each arm has before anybody looks: the test leans on the normal limit. */
  minPeople: number;
  minExposures: number;
  /** How much of the control's rate the newcomer may surely lose at most, to be good enough. */
  margin: number;
}

/** What the outcomes say of a newcomer against the control. */
export interface Verdict {
  /** `worse`: surely; `good`: surely not worse by more than the margin; `open`: not known yet. */
  verdict: "good" | "worse" | "open";
  difference: Difference;
  /** In one line, with the figures. */
  reason: string;
}

const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;

/**
 * Judges a newcomer by an always-valid interval, at any time and as often as wanted: the probability that one that is as
 * good is ever called worse, or one that is worse by more than the margin ever good, is below alpha.
 */
export function verdictOf(candidate: ArmTotals, control: ArmTotals, settings: VerdictSettings): Verdict {
  const difference = differenceOf(candidate, control, settings);
  const { low, high, estimate } = difference;
  const figures = `${percent(rateOf(candidate))} of ${candidate.exposures} against ${percent(rateOf(control))} of ${control.exposures} exposures, difference ${percent(estimate)} (${percent(low)} to ${percent(high)})`;
  const least = (of: (totals: ArmTotals) => number): number => Math.min(of(candidate), of(control));
  if (
    least(({ people }) => people) < settings.minPeople ||
    least(({ exposures }) => exposures) < settings.minExposures
  )
    return { verdict: "open", difference, reason: `too few yet: ${figures}` };
  if (high < 0) return { verdict: "worse", difference, reason: `surely worse: ${figures}` };
  const bound = settings.margin * rateOf(control);
  if (low > 0) return { verdict: "good", difference, reason: `surely better: ${figures}` };
  if (low > -bound)
    return { verdict: "good", difference, reason: `surely not worse by ${percent(bound)}: ${figures}` };
  return { verdict: "open", difference, reason: `not known yet: ${figures}` };
}
