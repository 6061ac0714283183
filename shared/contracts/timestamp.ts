import { z } from "zod";

const example = "2026-01-31T12:00:00+01:00";
const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,18}))?)?(?:([Zz])|([+\-\u2212])(\d{2})(?::?(\d{2}))?)?$/;
const minuteMs = 60_000;
const maxMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const minMs = Date.parse("0000-01-01T00:00:00Z");

/**
 * Returns an ISO 8601 time in milliseconds since the Unix epoch, or a text that says why it is none. The time has a date,
 * hours and minutes, perhaps seconds with a fraction, and `Z` or any offset: `+01:00`, `+0530`, `-08`. As RFC 3339 allows,
 * `t` and `z` may be small and a space may stand in place of `T`. A leap second (60) counts as the next second.
 */
export function parseTimestamp(text: string): number | string {
  const rule = `must be ISO 8601 with a time and an offset from UTC, for example ${example}`;
  const match = pattern.exec(text);
  if (!match)
    return /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? `${rule}; got a date without a time`
      : `${rule}; got another text`;
  const [, ...parts] = match;
  const [year, month, day, hour, minute, second] = parts.slice(0, 6).map((part) => Number(part ?? 0));
  const [fraction, utc, sign, offsetHours, offsetMinutes] = parts.slice(6);
  if (utc === undefined && sign === undefined) return `${rule}; got a time without an offset`;
  const outOfRange = (name: string, value: string | number) => `${rule}; got the ${name} ${value}`;
  if (hour > 23) return outOfRange("hour", hour);
  if (minute > 59) return outOfRange("minute", minute);
  if (second > 60 || (second === 60 && minute !== 59)) return outOfRange("second", second);
  if (Number(offsetHours ?? 0) > 23 || Number(offsetMinutes ?? 0) > 59)
    return outOfRange("offset", `${sign}${offsetHours}:${offsetMinutes ?? "00"}`);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return outOfRange("date", `${parts[0]}-${parts[1]}-${parts[2]}`);
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === "+" ? -1 : 1);
  const ms = Number((fraction ?? "").padEnd(3, "0").slice(0, 3));
  const time = date.setUTCHours(hour, minute, second, ms) + (sign === undefined ? 0 : offset * minuteMs);
  return time < minMs || time > maxMs ? outOfRange("year", year) : time;
}

/**
 * A time in a request: ISO 8601 with any offset, see {@link parseTimestamp}. The parsed value is the same time in UTC with
 * milliseconds.
 */
export const timestamp = z
  .string()
  .max(64)
  .transform((text, context) => {
    const parsed = parseTimestamp(text);
    if (typeof parsed === "number") return new Date(parsed).toISOString();
    context.addIssue({ code: "custom", message: `${parsed}: ${JSON.stringify(text)}` });
    return z.NEVER;
  })
  .meta({
    format: "date-time",
    description: `ISO 8601 with any offset from UTC, for example ${example}.`,
  });
