import { daySeconds, hourSeconds } from "../../shared/time/seconds.ts";

/** When, and how much, a user sent events and locations, by the server's clock. Imported history is not included. */
export interface UserActivity {
  /** When the first event arrived, in seconds since the epoch; null before. */
  since: number | null;
  /** Number of UTC days on which events arrived, and the last of them, in days since the epoch. */
  days: number;
  lastDay: number;
  /** The last UTC hour, in hours since the epoch, and the events and locations that arrived in it. */
  hour: number;
  events: number;
  locations: number;
}

/** Returns the activity of a user from whom nothing arrived yet. */
export const noActivity = (): UserActivity => ({
  since: null,
  days: 0,
  lastDay: 0,
  hour: 0,
  events: 0,
  locations: 0,
});

/** Returns how many events and locations of a user have arrived in the UTC hour of `now` (seconds since the epoch). */
export const arrivedThisHour = (
  activity: UserActivity,
  now: number,
): Pick<UserActivity, "events" | "locations"> =>
  activity.hour === Math.floor(now / hourSeconds) ? activity : { events: 0, locations: 0 };

/** Returns the activity after an event or location that arrives at `now` (seconds since the epoch). */
export function withArrival(activity: UserActivity, kind: "events" | "locations", now: number): UserActivity {
  const { events, locations } = arrivedThisHour(activity, now);
  const day = Math.floor(now / daySeconds);
  return {
    since: activity.since ?? now,
    days: activity.days + (day > activity.lastDay ? 1 : 0),
    lastDay: Math.max(activity.lastDay, day),
    hour: Math.floor(now / hourSeconds),
    events: events + (kind === "events" ? 1 : 0),
    locations: locations + (kind === "locations" ? 1 : 0),
  };
}
