import type { EventType } from "../../shared/contracts/event.ts";
import { eventTypes } from "../../shared/contracts/event.ts";
import type { CountingSettings } from "../../shared/counting/counting-settings.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";

/** By which choices of a product a user counted for others, by type in the order of `eventTypes`. */
export interface CountedChoices {
  /** UTC hours in which the user counted. */
  times: number[];
  /** The last of them, in hours since the epoch. */
  lastHours: number[];
}

/** Returns the choices of a user who never counted for a product. */
export const noCountedChoices = (): CountedChoices => ({
  times: eventTypes.map(() => 0),
  lastHours: eventTypes.map(() => 0),
});

/**
 * Returns whether a choice may count for others: a user counts for a product by some hours of each type, then once in
 * some days. So the contribution of one user is bounded, and a regular customer is not forgotten. A choice in an hour
 * that counted already changes no totals.
 */
export function mayCount(
  counted: CountedChoices | undefined,
  type: EventType,
  time: number,
  { timesCounted, againDays }: Pick<CountingSettings, "timesCounted" | "againDays">,
): boolean {
  if (counted === undefined) return true;
  const at = eventTypes.indexOf(type);
  const hour = Math.floor(time / hourSeconds);
  return (
    counted.lastHours[at] === hour ||
    counted.times[at] < timesCounted ||
    hour - counted.lastHours[at] >= againDays * 24
  );
}

/** Returns the counted choices after one more, at `time` in seconds since the epoch. */
export function withCounted(
  counted: CountedChoices | undefined,
  type: EventType,
  time: number,
): CountedChoices {
  const { times, lastHours } = copyOf(counted ?? noCountedChoices());
  const at = eventTypes.indexOf(type);
  const hour = Math.floor(time / hourSeconds);
  if (lastHours[at] !== hour) times[at]++;
  lastHours[at] = Math.max(lastHours[at], hour);
  return { times, lastHours };
}

const copyOf = ({ times, lastHours }: CountedChoices): CountedChoices => ({
  times: [...times],
  lastHours: [...lastHours],
});
