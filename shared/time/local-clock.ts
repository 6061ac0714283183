import { daySeconds, hourSeconds } from "./seconds.ts";

// A local time is in seconds since the epoch, plus the clock's offset from UTC, so that hour and weekday follow from
// it. The difference of two local times is off by an hour if the clocks changed between them.

/** Returns the hour (0-23) of a local time. */
export const localHourOf = (localTime: number): number =>
  Math.floor((((localTime % daySeconds) + daySeconds) % daySeconds) / hourSeconds);

/** Returns the weekday (0 Monday - 6 Sunday) of a local time; 1970-01-01 was a Thursday. */
export const localWeekdayOf = (localTime: number): number =>
  (((Math.floor(localTime / daySeconds) + 3) % 7) + 7) % 7;
