import * as z from "zod";

const example = "2026-01-31T12:00:00+01:00";
/** Matches the extended format (`2026-01-31T12:00:00`) and the basic format (`20260131T120000`). */
const pattern =
  /^(?<year>\d{4})(?<dash>-?)(?<month>\d{2})\k<dash>(?<day>\d{2})[Tt ](?<hour>\d{2})(?<colon>:?)(?<minute>\d{2})(?:\k<colon>(?<second>\d{2})(?:[.,](?<fraction>\d{1,18}))?)?(?:(?<utc>[Zz])|(?<sign>[+\-\u2212])(?<offsetHours>\d{2})(?::?(?<offsetMinutes>\d{2}))?)?$/;
const minuteMs = 60_000;
const maxMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const minMs = Date.parse("0000-01-01T00:00:00Z");

const rule = `must be ISO 8601 with a time and an offset from UTC, for example ${example}`;

/** Returns a number with the time that it means if it is a Unix time of 1973 to 5138; else the number alone. */
function describeNumber(number: number): string {
  const seconds = Math.abs(number) >= 1e11 ? number / 1000 : number;
  return seconds >= 1e8 && seconds < 1e11
    ? `a number; if it is a Unix time, send ${new Date(seconds * 1000).toISOString()}`
    : "a number";
}

/** Returns what a text is that does not match {@link pattern}. */
function describeText(text: string): string {
  if (/^\d{4}(-?)\d{2}\1\d{2}$/.test(text)) return "a date without a time";
  return /^-?\d+(\.\d+)?$/.test(text) ? describeNumber(Number(text)) : "another text";
}

/**
 * Returns an ISO 8601 time in milliseconds since the Unix epoch, or a text that says why it is none. The time has a date,
 * hours and minutes, perhaps seconds with a fraction, and `Z` or any offset: `+01:00`, `+0530`, `-08`. As RFC 3339 allows,
 * `t` and `z` may be small and a space may stand in place of `T`. A leap second (60) counts as the next second, and 24:00
 * is the beginning of the next day.
 */
export function parseTimestamp(text: string): number | string {
  const parts = pattern.exec(text)?.groups;
  if (!parts) return `${rule}; got ${describeText(text)}`;
  const { utc, sign, fraction = "" } = parts;
  const numberOf = (part: string | undefined) => Number(part ?? 0);
  const [year, month, day] = [parts.year, parts.month, parts.day].map(numberOf);
  const [hour, minute, second] = [parts.hour, parts.minute, parts.second].map(numberOf);
  const [offsetHours, offsetMinutes] = [parts.offsetHours, parts.offsetMinutes].map(numberOf);
  if (utc === undefined && sign === undefined) return `${rule}; got a time without an offset`;
  const outOfRange = (name: string, value: string | number) => `${rule}; got the ${name} ${value}`;
  const isEndOfDay = hour === 24 && minute === 0 && second === 0 && /^0*$/.test(fraction);
  if (hour > 23 && !isEndOfDay) return outOfRange("hour", hour);
  if (minute > 59) return outOfRange("minute", minute);
  if (second > 60 || (second === 60 && minute !== 59)) return outOfRange("second", second);
  if (offsetHours > 23 || offsetMinutes > 59)
    return outOfRange("offset", `${sign}${parts.offsetHours}:${parts.offsetMinutes ?? "00"}`);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return outOfRange("date", `${parts.year}-${parts.month}-${parts.day}`);
  const offset = (offsetHours * 60 + offsetMinutes) * (sign === "+" ? -1 : 1);
  const ms = Number(fraction.padEnd(3, "0").slice(0, 3));
  const time = date.setUTCHours(hour, minute, second, ms) + (sign === undefined ? 0 : offset * minuteMs);
  return time < minMs || time > maxMs ? outOfRange("year", year) : time;
}

/**
 * A time in a request: ISO 8601 with any offset, see {@link parseTimestamp}. The parsed value is the same time in UTC with
 * milliseconds.
 */
export const timestamp = z
  .string({
    error: ({ input }) => {
      const what = typeof input === "number" ? describeNumber(input) : "no text";
      return `${rule}; got ${what}: ${JSON.stringify(input)}`;
    },
  })
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
