import { eventTypes } from "../../shared/contracts/event.ts";
import type { HourTotals } from "../../shared/contracts/totals.ts";
import type { Columns } from "../columns/columns.ts";
import { engagementWeights, hotHalfLives } from "../columns/layout.ts";

const daySeconds = 86_400;

/** Engagement of one hour: its counts by {@link engagementWeights}, never below zero. */
export function engagementOf(hour: HourTotals): number {
  let sum = 0;
  for (const type of eventTypes) sum += hour[type] * engagementWeights[type];
  return Math.max(0, sum);
}

/**
 * Exponentially decayed engagement at each of {@link hotHalfLives}, as of `time`: the sum over hours of
 * engagement * 2^(-age / half-life). Hours after `time` count as now.
 */
export function hotOf(hours: readonly HourTotals[], time: number): number[] {
  const hot: number[] = hotHalfLives.map(() => 0);
  for (const hour of hours) {
    const engagement = engagementOf(hour);
    const ageDays = Math.max(0, (time - hour.hour * 3600) / daySeconds);
    for (let i = 0; i < hot.length; i++) hot[i] += engagement * 2 ** (-ageDays / hotHalfLives[i]);
  }
  return hot;
}

/** Factors that carry decayed engagement from one time to a later one, by half-life. */
export const decayFactors = (from: number, to: number): number[] =>
  hotHalfLives.map((days) => 2 ** (-Math.max(0, to - from) / daySeconds / days));

/**
 * Popularity by which the best of a cell are chosen: what is going on now, what went on these months, and
 * people rather than events of all time (a few people with many visits make no favourite). In log, so that
 * it adds to a penalty for distance.
 */
export function popularity(columns: Columns, row: number): number {
  const week = columns.hot[row * 3 + 1];
  const season = columns.hot[row * 3 + 2];
  const people = columns.counts[row * 6 + 5];
  return Math.log1p(week + 0.5 * season + 2 * people);
}
