import { type OpeningHours, weekdays } from "../../shared/contracts/opening-hours.ts";
import { cachedUtcOffset } from "../../shared/geo/timezone.ts";
import { minuteSeconds } from "../../shared/time/seconds.ts";
import type { Columns } from "./columns.ts";
import { noString } from "./layout.ts";
import { optionalColumn } from "./optional-values.ts";

/** Name of the column of opening hours, as {@link encodeOpeningHours} writes them. */
export const openingHoursColumn = "openingHours";

const dayMinutes = 24 * 60;
const weekMinutes = 7 * dayMinutes;

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/**
 * Returns opening hours as the text of a column: an IANA time zone, then the first and last minute of each opening,
 * counted from Monday 00:00, local time. Shops with the same hours share one text of a tile's dictionary.
 */
export function encodeOpeningHours(hours: OpeningHours, timezone: string): string {
  const spans = new Set<string>();
  for (const { days, opens, closes } of hours)
    for (const day of days) {
      const start = weekdays.indexOf(day) * dayMinutes + minutesOf(opens);
      const length = minutesOf(closes) - minutesOf(opens);
      spans.add(`${start}-${start + (length > 0 ? length : length + dayMinutes)}`);
    }
  return [timezone, ...[...spans].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))].join(" ");
}

/** Opening hours of a text, compiled. */
interface Schedule {
  utcOffset: (time: number) => number;
  /** First minute, and the minute after the last one, of each opening; the latter may be in the next week. */
  spans: readonly (readonly [start: number, end: number])[];
}

const schedules = new Map<string, Schedule>();
/** Different opening hours that an isolate remembers, at most. */
const maxSchedules = 5000;

function scheduleOf(text: string): Schedule {
  const known = schedules.get(text);
  if (known) return known;
  const [timezone, ...spans] = text.split(" ");
  const schedule: Schedule = {
    utcOffset: cachedUtcOffset(timezone),
    spans: spans.map((span) => {
      const [start, end] = span.split("-").map(Number);
      return [start, end] as const;
    }),
  };
  if (schedules.size >= maxSchedules) schedules.clear();
  schedules.set(text, schedule);
  return schedule;
}

/** Returns whether a place with the opening hours of a column's text is open at a time, in seconds since the epoch. */
export function isOpenAt(text: string, time: number): boolean {
  const { utcOffset, spans } = scheduleOf(text);
  const minutes = Math.floor((time + utcOffset(time)) / minuteSeconds);
  // 1970-01-01 was a Thursday.
  const now = (((minutes + 3 * dayMinutes) % weekMinutes) + weekMinutes) % weekMinutes;
  return spans.some(([start, end]) => (now >= start && now < end) || now + weekMinutes < end);
}

/**
 * Returns the test whether a row's product is open at a time, in seconds since the epoch; null if all rows are. A product
 * without opening hours is always open.
 */
export function compileIsOpen(columns: Columns, time: number): ((row: number) => boolean) | null {
  const column = optionalColumn(columns, openingHoursColumn, "string");
  if (!column) return null;
  const { values } = column;
  const isOpen = new Map<number, boolean>([[noString, true]]);
  return (row) => {
    const index = values[row];
    let open = isOpen.get(index);
    if (open === undefined) {
      open = isOpenAt(columns.strings[index], time);
      isOpen.set(index, open);
    }
    return open;
  };
}
