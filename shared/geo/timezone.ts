import { daySeconds } from "../time/seconds.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(timezone, format);
  }
  return format;
}

/** Returns the seconds that a timezone (IANA name) is ahead of UTC at `time` (seconds since the epoch). */
export function utcOffsetSeconds(timezone: string, time: number): number {
  if (timezone === "UTC") return 0;
  const whole = Math.floor(time);
  const parts: Record<string, number> = {};
  for (const { type, value } of formatFor(timezone).formatToParts(whole * 1000)) parts[type] = Number(value);
  const local =
    Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) / 1000;
  return local - whole;
}

/**
 * Returns {@link utcOffsetSeconds} as a function of time for one timezone. The function computes the offset once for
 * each UTC day, so that further times of the day are cheap.
 */
export function cachedUtcOffset(timezone: string): (time: number) => number {
  const byDay = new Map<number, number>();
  return (time) => {
    const day = Math.floor(time / daySeconds);
    let offset = byDay.get(day);
    if (offset === undefined) {
      offset = utcOffsetSeconds(timezone, time);
      byDay.set(day, offset);
    }
    return offset;
  };
}
