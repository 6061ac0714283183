/** One user's part of a metric: the numerator `y` and the denominator `x`; `x` is 1 for a mean of users. */
export interface UserValues {
  y: number;
  x: number;
}

/** A metric of one variant, Σy / Σx over its users, and what its spread is computed from. */
export interface MetricSample {
  users: number;
  /** Σy. */
  numerator: number;
  /** Σx. */
  denominator: number;
  /** Σr², where r = y - (Σy / Σx) x is a user's residual. */
  squares: number;
  /** Σr⁴. */
  fourths: number;
}

/** Returns the value of a metric; 0 without a denominator. */
export const valueOfMetric = ({ numerator, denominator }: MetricSample): number =>
  denominator === 0 ? 0 : numerator / denominator;

/** Returns the metric of users. Their order does not matter. */
export function metricOfUsers(users: readonly UserValues[]): MetricSample {
  let numerator = 0;
  let denominator = 0;
  for (const { y, x } of users) {
    numerator += y;
    denominator += x;
  }
  const value = denominator === 0 ? 0 : numerator / denominator;
  let squares = 0;
  let fourths = 0;
  for (const { y, x } of users) {
    const square = (y - value * x) ** 2;
    squares += square;
    fourths += square * square;
  }
  return { users: users.length, numerator, denominator, squares, fourths };
}

/**
 * Returns the variance of {@link valueOfMetric}, by the delta method for a ratio of sums over users (Deng, Knoblich and
 * Lu, "Applying the delta method in metric analytics", KDD 2018). Users are assigned to variants, not lists, so all
 * lists of a user are one observation. Infinity for fewer than two users.
 */
export function varianceOfMetric({ users, denominator, squares }: MetricSample): number {
  if (users < 2 || denominator <= 0) return Number.POSITIVE_INFINITY;
  return ((users / (users - 1)) * squares) / (denominator * denominator);
}

/**
 * Returns how many users the spread of a metric comes from: (Σr²)² / Σr⁴ (Kish, "Survey Sampling", 1965,
 * for the weights r²). A few users who are far more active than the others, or rare purchases, make it much smaller than
 * the number of users. The normal limit, on which the intervals rely, needs it to be large.
 */
export const effectiveUsers = ({ squares, fourths }: MetricSample): number =>
  fourths > 0 ? (squares * squares) / fourths : 0;
