import { describe, expect, it } from "vitest";
import { localHourOf, localWeekdayOf } from "./local-clock.ts";
import { hourSeconds } from "./seconds.ts";

const start = 1_700_000_000;

describe("localHourOf and localWeekdayOf", () => {
  it("return the hour and weekday of a local time", () => {
    // 2023-11-14 22:13:20 UTC is a Tuesday. In Tokyo it is Wednesday morning.
    expect([localHourOf(start), localWeekdayOf(start)]).toEqual([22, 1]);
    expect([localHourOf(start + 9 * hourSeconds), localWeekdayOf(start + 9 * hourSeconds)]).toEqual([7, 2]);
  });
});
