/** A value to compare a figure with, from the same run and in the same unit. */
export interface Reference {
  label: string;
  value: number;
}

/** Mean and percentiles of the measured values. */
export interface Statistics {
  /** Number of measurements. */
  n: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
}

/** Unit of a figure. Low times and high rates are better. */
export type Unit = "ms" | "us" | "per s" | "kB" | "MB" | "share" | "times" | "count";

/** One line of the report. */
export interface BenchFigure extends Statistics {
  section: string;
  name: string;
  unit: Unit;
  /** The value of a simpler way to do the same, or of the state without the measured load. */
  baseline: Reference | null;
  /** The best possible value, or a target. */
  limit: Reference | null;
}

/** Returns the smallest value that at least `share` of the ascending values do not exceed (nearest-rank percentile). */
const nearestRank = (ascending: Float64Array, share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))];

/** Returns the percentiles of times: 95% of the values are at most p95. */
export function summarizeTimes(values: ArrayLike<number>): Statistics {
  const ascending = Float64Array.from(values).sort();
  if (ascending.length === 0)
    return { n: 0, mean: Number.NaN, p50: Number.NaN, p95: Number.NaN, p99: Number.NaN };
  return {
    n: ascending.length,
    mean: ascending.reduce((sum, value) => sum + value, 0) / ascending.length,
    p50: nearestRank(ascending, 0.5),
    p95: nearestRank(ascending, 0.95),
    p99: nearestRank(ascending, 0.99),
  };
}

/** Returns the percentiles of rates: 95% of the values are at least p95. */
export function summarizeRates(values: ArrayLike<number>): Statistics {
  const { n, mean, p50, p95, p99 } = summarizeTimes(Array.from(values, (value) => -value));
  return { n, mean: -mean, p50: -p50, p95: -p95, p99: -p99 };
}

/** Returns the statistics of a value that was measured once. */
export const singleMeasurement = (value: number): Statistics => ({
  n: 1,
  mean: value,
  p50: value,
  p95: value,
  p99: value,
});

/**
 * Returns the statistics of `n` values of which only the mean is known. The percentiles are NaN, which is null in JSON.
 */
export const meanOnly = (mean: number, n: number): Statistics => ({
  n,
  mean,
  p50: Number.NaN,
  p95: Number.NaN,
  p99: Number.NaN,
});
