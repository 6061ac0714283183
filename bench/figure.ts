/** Something to hold a figure against, from the same run and in the same unit. */
export interface Reference {
  label: string;
  value: number;
}

/** Percentiles of what was measured. */
export interface Statistics {
  /** How many measurements. */
  n: number;
  mean: number;
  p50: number;
  p95: number;
  p99: number;
}

/** What a figure counts: times are better when low, rates when high. */
export type Unit = "ms" | "us" | "per s" | "MB" | "share";

/** One line of the report. */
export interface Figure extends Statistics {
  section: string;
  name: string;
  unit: Unit;
  /** What does the same in a plain way, or what is there without it. */
  baseline: Reference | null;
  /** What cannot be beaten, or what the figure is meant to be compared with. */
  limit: Reference | null;
}

/** The smallest value that at least `share` of the ascending values do not exceed (nearest rank). */
const nearestRank = (ascending: Float64Array, share: number): number =>
  ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))];

/** Percentiles of times: 95 of 100 take at most p95. */
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

/** Percentiles of rates: 95 of 100 reach at least p95. */
export function summarizeRates(values: ArrayLike<number>): Statistics {
  const { n, mean, p50, p95, p99 } = summarizeTimes(Array.from(values, (value) => -value));
  return { n, mean: -mean, p50: -p50, p95: -p95, p99: -p99 };
}

/** A quantity that was measured once. */
export const singleMeasurement = (value: number): Statistics => ({
  n: 1,
  mean: value,
  p50: value,
  p95: value,
  p99: value,
});

/** A quantity of which only the mean over `n` is known: its percentiles are NaN, null in JSON. */
export const meanOnly = (mean: number, n: number): Statistics => ({
  n,
  mean,
  p50: Number.NaN,
  p95: Number.NaN,
  p99: Number.NaN,
});
