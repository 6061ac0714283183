import { describe, expect, it } from "vitest";
import { daySeconds } from "../time/seconds.ts";
import { countingSettings, countingSettingsOf, defaultCounting } from "./counting-settings.ts";
import { type UserBehavior, userWeight } from "./user-weight.ts";

const behavior = (more: Partial<UserBehavior> = {}): UserBehavior => ({
  ageSeconds: 0,
  activeDays: 1,
  productShare: 0.2,
  eventsThisHour: 3,
  ...more,
});
const afterDays = (days: number, activeDays = days): number =>
  userWeight(behavior({ ageSeconds: days * daySeconds, activeDays }), defaultCounting);

describe("userWeight", () => {
  it("is small for a new user, and grows to 1 with time and active days", () => {
    expect(afterDays(0, 1)).toBe(0.001);
    expect(afterDays(7)).toBeCloseTo((7 / 30) ** 3, 9);
    expect(afterDays(60, 2)).toBeCloseTo(0.008, 9);
    expect(afterDays(30)).toBe(1);
    for (let day = 0; day < 40; day++) expect(afterDays(day + 1)).toBeGreaterThanOrEqual(afterDays(day));
  });

  it("is 0 for a user of one product, and above a human pace", () => {
    const mature = { ageSeconds: 90 * daySeconds, activeDays: 60 };
    const weightOf = (more: Partial<UserBehavior>) =>
      userWeight(behavior({ ...mature, ...more }), defaultCounting);
    expect(weightOf({ productShare: 1 })).toBe(0);
    expect(weightOf({ productShare: 0.75 })).toBeCloseTo(0.5, 9);
    expect(weightOf({ productShare: 0.5 })).toBe(1);
    expect(weightOf({ eventsThisHour: 120 })).toBe(1);
    expect(weightOf({ eventsThisHour: 121 })).toBe(0);
  });
});

describe("countingSettingsOf", () => {
  it("has defaults, takes single settings, and refuses unknown ones by name", () => {
    expect(countingSettingsOf({})).toEqual(defaultCounting);
    expect(countingSettingsOf({ COUNTING: '{"newUserWeight":1}' })).toEqual({
      ...defaultCounting,
      newUserWeight: 1,
    });
    expect(() => countingSettingsOf({ COUNTING: '{"newUserWieght":1}' })).toThrow("newUserWieght");
    expect(countingSettings.safeParse({ newUserWeight: 2 }).success).toBe(false);
  });
});
