import type { EventType } from "../../shared/contracts/event.ts";
import type { CountingSettings } from "../../shared/counting/counting-settings.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";

/**
 * By which choices of a product a user counted for others: for each type, in how many UTC hours, and the last of them in
 * hours since the epoch. Types that never counted are absent, because a profile has many products.
 */
export type CountedChoices = { [Type in EventType]?: readonly [times: number, lastHour: number] };

const notCounted = [0, 0] as const;

/** Returns in how many hours a user counted for a product by choices of a type. */
export const timesCountedOf = (counted: CountedChoices | undefined, type: EventType): number =>
  (counted?.[type] ?? notCounted)[0];

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
  const [times, lastHour] = counted?.[type] ?? notCounted;
  const hour = Math.floor(time / hourSeconds);
  return lastHour === hour || times < timesCounted || hour - lastHour >= againDays * 24;
}

/** Returns the counted choices after one more, at `time` in seconds since the epoch. */
export function withCounted(
  counted: CountedChoices | undefined,
  type: EventType,
  time: number,
): CountedChoices {
  const [times, lastHour] = counted?.[type] ?? notCounted;
  const hour = Math.floor(time / hourSeconds);
  return { ...counted, [type]: [lastHour === hour ? times : times + 1, Math.max(lastHour, hour)] };
}
