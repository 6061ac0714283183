import { eventTypes } from "../../shared/contracts/event.ts";
import type { HourTotals, Totals } from "../../shared/contracts/totals.ts";
import { daySeconds, hourSeconds } from "../../shared/time/seconds.ts";
import type { Columns } from "../columns/columns.ts";
import { columnWidth, countOffset, engagementWeights, hotHalfLives, hotOffset } from "../columns/layout.ts";

const countsWidth = columnWidth.counts;
const hotWidth = columnWidth.hot;
const peopleOffset = countOffset.people;
const weekOffset = hotOffset.week;
const seasonOffset = hotOffset.season;

/**
 * Returns the engagement of one hour: the sum of its counts by {@link engagementWeights}.
 */
export function engagementOf(hour: HourTotals): number {
  let sum = 0;
  for (const type of eventTypes) sum += hour[type] * engagementWeights[type];
  return sum;
}

/**
 * Returns the exponentially decayed engagement at each of {@link hotHalfLives}, as of `time` (seconds since the epoch):
 * the sum over hours of engagement * 2^(-age / half-life). Hours after `time` have an age of zero.
 */
export function decayedEngagement(hours: readonly HourTotals[], time: number): number[] {
  const hot: number[] = hotHalfLives.map(() => 0);
  for (const hour of hours) {
    const engagement = engagementOf(hour);
    const ageDays = Math.max(0, (time - hour.hour * hourSeconds) / daySeconds);
    for (let i = 0; i < hot.length; i++) hot[i] += engagement * 2 ** (-ageDays / hotHalfLives[i]);
  }
  return hot;
}

/** Interactions of one type that count for each of a product's people, at most. */
const maxRepetitions = 2;

/**
 * Returns decayed engagement, at most that of {@link maxRepetitions} interactions of each type by each person of the
 * lifetime counts: a product that many people chose is above one to which a single user returns every hour.
 */
export function boundedByPeople(hot: readonly number[], lifetime: Totals): number[] {
  let bound = 0;
  for (const type of eventTypes)
    bound += engagementWeights[type] * Math.min(lifetime[type], maxRepetitions * lifetime.people);
  return hot.map((each) => Math.min(each, bound));
}

/** Returns the factors, by half-life, that decay engagement from one time to a later one (seconds since the epoch). */
export const engagementDecayFactors = (from: number, to: number): number[] =>
  hotHalfLives.map((days) => 2 ** (-Math.max(0, to - from) / daySeconds / days));

/**
 * Returns the score that ranks the rows of a tile: log(1 + engagement of this week + half of that of the last months +
 * twice the people of all time). It counts people rather than events, so that a few users with many visits do not make
 * a product popular.
 */
export function popularityScore(columns: Columns, row: number): number {
  const week = columns.hot[row * hotWidth + weekOffset];
  const season = columns.hot[row * hotWidth + seasonOffset];
  const people = columns.counts[row * countsWidth + peopleOffset];
  return Math.log1p(week + 0.5 * season + 2 * people);
}
