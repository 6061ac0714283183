import { effectiveUsers, type MetricSample, valueOfMetric, varianceOfMetric } from "./user-metric.ts";

/** Parameters of an always-valid interval. */
export interface IntervalSettings {
  /** Probability that the interval misses the true difference at any time, over all times together. */
  alpha: number;
  /** Number of users, of both variants together, at which the interval is narrowest compared with a fixed-time one. */
  expectedUsers: number;
}

/** The difference of a metric between a variant and the control. */
export interface MetricDifference {
  /** The variant's value minus the control's. */
  estimate: number;
  /** Bounds that hold at all times together; null while there is too little data for them. */
  interval: { low: number; high: number } | null;
}

/**
 * Users that the spread of each variant must come from before there is an interval: the normal limit describes sums of
 * fewer terms badly. See {@link effectiveUsers}.
 */
export const minEffectiveUsers = 100;

/**
 * Returns how many standard errors wide each side of an always-valid interval is after `users` users. It is the
 * asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory
 * and asymptotic confidence sequences" (Annals of Statistics 52(6), 2024), whose normal mixture is that of Robbins (1970). The mixture is tightest at `expectedUsers`, which does not affect the validity.
 */
export function intervalFactor(users: number, { alpha, expectedUsers }: IntervalSettings): number {
  const twoLogs = -2 * Math.log(alpha);
  const ratio = ((twoLogs + Math.log(twoLogs + 1)) * users) / expectedUsers;
  return Math.sqrt(((1 + ratio) / ratio) * (twoLogs + Math.log(1 + ratio)));
}

/**
 * Returns the difference of a metric with its always-valid interval: the interval may be looked at after each event, and
 * the experiment stopped at any time.
 *
 * A user's values may grow after the first look at them, for example by a later purchase. Then the sums at two times
 * have more in common than those of a random walk, which crosses a boundary more often (Slepian's inequality), so that
 * the interval errs on the safe side.
 */
export function metricDifference(
  variant: MetricSample,
  control: MetricSample,
  settings: IntervalSettings,
): MetricDifference {
  const estimate = valueOfMetric(variant) - valueOfMetric(control);
  const variance = varianceOfMetric(variant) + varianceOfMetric(control);
  if (
    !Number.isFinite(variance) ||
    Math.min(effectiveUsers(variant), effectiveUsers(control)) < minEffectiveUsers
  )
    return { estimate, interval: null };
  const width = Math.sqrt(variance) * intervalFactor(variant.users + control.users, settings);
  return { estimate, interval: { low: estimate - width, high: estimate + width } };
}
