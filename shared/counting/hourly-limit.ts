import { hourSeconds } from "../time/seconds.ts";

/** Returns how many seconds are left of the UTC hour of `now` (seconds since the epoch), at least 1. */
export const secondsToNextHour = (now: number): number =>
  Math.max(1, Math.ceil(hourSeconds - (now % hourSeconds)));

/** Returns why events or locations are refused. */
export const hourlyLimitText = (kind: "events" | "locations"): string =>
  `Too many ${kind} of this user in this hour. Send the request again in the next hour, or with a server key.`;
