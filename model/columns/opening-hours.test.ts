import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openingHours, weekdays } from "../../shared/contracts/opening-hours.ts";
import { encodeOpeningHours, isOpenAt } from "./opening-hours.ts";

/** Returns whether hours are open in a time zone at an instant. */
const openAt = (hours: unknown, timezone: string, instant: string): boolean =>
  isOpenAt(encodeOpeningHours(openingHours.parse(hours), timezone), Date.parse(instant) / 1000);

describe("opening hours", () => {
  it("are in local time of the place, in summer and in winter", () => {
    const hours = [{ days: ["monday"], opens: "09:00", closes: "18:00" }];
    // Mondays; Oslo is two hours ahead of UTC in July, and one in January.
    expect(openAt(hours, "Europe/Oslo", "2026-07-06T07:00:00Z")).toBe(true);
    expect(openAt(hours, "Europe/Oslo", "2026-07-06T06:59:59Z")).toBe(false);
    expect(openAt(hours, "Europe/Oslo", "2026-07-06T16:00:00Z")).toBe(false);
    expect(openAt(hours, "Europe/Oslo", "2026-01-05T07:59:59Z")).toBe(false);
    expect(openAt(hours, "Europe/Oslo", "2026-01-05T08:00:00Z")).toBe(true);
    expect(openAt(hours, "Europe/Oslo", "2026-01-06T08:00:00Z")).toBe(false);
  });

  it("go on over midnight, from Sunday to Monday too", () => {
    const bar = [{ days: ["saturday", "sunday"], opens: "20:00", closes: "02:30" }];
    expect(openAt(bar, "UTC", "2026-07-05T02:29:59Z")).toBe(true);
    expect(openAt(bar, "UTC", "2026-07-05T02:30:00Z")).toBe(false);
    expect(openAt(bar, "UTC", "2026-07-06T00:00:00Z")).toBe(true);
    expect(openAt(bar, "UTC", "2026-07-06T02:30:00Z")).toBe(false);
    expect(openAt(bar, "UTC", "2026-07-06T20:00:00Z")).toBe(false);
  });

  it("are those that a minute by minute count of the week finds", () => {
    const minute = fc.nat(1439);
    const clock = (at: number): string =>
      `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
    const entries = fc.array(
      fc.record({ days: fc.uniqueArray(fc.nat(6), { minLength: 1 }), opens: minute, closes: minute }),
      { minLength: 1, maxLength: 3 },
    );
    const monday = Date.parse("2026-07-06T00:00:00Z") / 60_000;
    fc.assert(
      fc.property(entries, fc.nat(7 * 1440 - 1), (list, at) => {
        const valid = list.filter(({ opens, closes }) => opens !== closes);
        fc.pre(valid.length > 0);
        const open = new Set<number>();
        for (const { days, opens, closes } of valid)
          for (const day of days)
            for (let i = 0; i < (closes - opens + 1440) % 1440; i++)
              open.add((day * 1440 + opens + i) % (7 * 1440));
        const hours = valid.map(({ days, opens, closes }) => ({
          days: days.map((day) => weekdays[day]),
          opens: clock(opens),
          closes: clock(closes),
        }));
        const instant = new Date((monday + at) * 60_000).toISOString();
        expect(openAt(hours, "UTC", instant)).toBe(open.has(at));
      }),
    );
  });

  it("refuses hours that are no times of day, or that end when they begin", () => {
    const parsed = (opens: string, closes: string) =>
      openingHours.safeParse([{ days: ["monday"], opens, closes }]).success;
    expect(parsed("00:00", "24:00")).toBe(true);
    expect([parsed("9:00", "18:00"), parsed("24:00", "02:00"), parsed("10:00", "10:00")]).toEqual([
      false,
      false,
      false,
    ]);
    expect(openingHours.safeParse([]).success).toBe(false);
  });
});
