import { daySeconds, hourSeconds } from "../../shared/time/seconds.ts";

const timestampPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Returns an ISO 8601 time in seconds since the epoch; null if it is none. */
export function timestampSeconds(text: string): number | null {
  const milliseconds = timestampPattern.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

const secondsByUnit: Readonly<Record<string, number>> = {
  d: daySeconds,
  h: hourSeconds,
  m: 60,
  s: 1,
  ms: 0.001,
};
const durationPattern = /^-?(?:\d{1,9}(?:\.\d{1,9})?(?:d|h|ms|m|s))+$/;

/** Returns a duration such as `1h30m` in seconds; null if it is none. */
export function durationSeconds(text: string): number | null {
  if (!durationPattern.test(text)) return null;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s)/g))
    seconds += Number(amount) * secondsByUnit[unit];
  return text.startsWith("-") ? -seconds : seconds;
}
