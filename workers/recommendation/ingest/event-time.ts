import type { RejectedEvent } from "../../../shared/contracts/event.ts";
import { fromInstant, toInstant } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";

/** Accepted lead of a client's clock over the server's. */
export const maxEarlySeconds = 300;

/** Returns the time of an event in seconds since the Unix epoch: its own timestamp, else `now`. */
export const eventTimeOf = (timestamp: string | undefined, now: number): number =>
  timestamp === undefined ? now : fromInstant(timestamp);

/** Returns whether `time` is in the future. Such an event would stay the user's newest event until that time. */
export const isInFuture = (time: number, now: number): boolean => time > now + maxEarlySeconds;

/** How old an event may be, in seconds, and how an error names that age. */
export interface MaxAge {
  seconds: number;
  text: string;
}

/** Maximum age of a live event from a secret key; an older event is history. */
const keyMaxAge: MaxAge = { seconds: 7 * daySeconds, text: "7 days" };
/**
 * Maximum age of an event from a user token. Everybody can have a token, and each hour of the past would let its user
 * count once more.
 */
const tokenMaxAge: MaxAge = { seconds: 900, text: "15 minutes" };

/** Returns how old an event of a requester may be. */
export const maxAgeOf = ({ tokenIssuedAt }: Requester): MaxAge =>
  tokenIssuedAt === null ? keyMaxAge : tokenMaxAge;

/** Returns whether an event at `time` is accepted as a live event. */
export const isWithinLiveWindow = (time: number, now: number, { seconds }: MaxAge): boolean =>
  time >= now - seconds && !isInFuture(time, now);

/** Returns why a time is refused. `now` is in seconds since the Unix epoch; a null age is unlimited. */
export const outOfWindowText = (time: number, now: number, maxAge: MaxAge | null): string =>
  `must be ${maxAge ? `at most ${maxAge.text} old and ` : ""}at most 5 minutes in the future; got ` +
  `${toInstant(time)}, and the server's time is ${toInstant(now)}`;

/** Returns where a client sends an event that is too old. */
const placeForOlder = (maxAge: MaxAge): string =>
  maxAge === tokenMaxAge
    ? ". With a server key, events may be 7 days old."
    : ". Send older events to POST /v1/events/bulk.";

/** Returns why the time of an event is refused. Times are in seconds since the Unix epoch. */
export const timeRejection = (time: number, now: number, maxAge: MaxAge | null): RejectedEvent["error"] => ({
  code: "timestamp_out_of_window",
  path: "timestamp",
  message: `\`timestamp\` ${outOfWindowText(time, now, maxAge)}${maxAge && time < now ? placeForOlder(maxAge) : ""}`,
});

/** Returns the warning of a time that is a little in the future. `now` is in seconds since the Unix epoch. */
export const timestampInFuture = (now: number) => ({
  code: "timestamp_in_future",
  message: `\`timestamp\` is ahead of the server's time, ${toInstant(now)}, and counts as now.`,
});
