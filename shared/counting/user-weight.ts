import { daySeconds } from "../time/seconds.ts";
import type { CountingSettings } from "./counting-settings.ts";

/** How a user behaved so far, including the present event. */
export interface UserBehavior {
  /** Seconds since the user's first event. */
  ageSeconds: number;
  /** UTC days with an event. */
  activeDays: number;
  /** Share of the most chosen product in all choices. */
  productShare: number;
  /** Events of the present UTC hour. */
  eventsThisHour: number;
}

/**
 * Returns the weight of a user whom nobody vouches for, 0 to 1: the share of such users who count for others. It grows
 * with the cube of the user's age and active days, so that it takes weeks, not days, to invent a user who counts. It
 * is 0 for a user of one product, and in an hour with more events than a human makes.
 */
export function userWeight(
  { ageSeconds, activeDays, productShare, eventsThisHour }: UserBehavior,
  settings: CountingSettings,
): number {
  if (eventsThisHour > settings.maxHumanEvents) return 0;
  const age = settings.matureDays > 0 ? ageSeconds / daySeconds / settings.matureDays : 1;
  const maturity = Math.max(0, Math.min(1, age, activeDays / settings.matureActiveDays));
  const variety = Math.max(0, Math.min(1, (1 - productShare) / (1 - settings.maxProductShare)));
  return Math.max(settings.newUserWeight, maturity ** 3) * variety;
}
