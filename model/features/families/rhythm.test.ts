import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, makeInteraction, now, profileOf } from "../testing.ts";
import { rhythmFeatures } from "./rhythm.ts";

const block = blockOf([{}]);
const only = (at: number, length: number): number[] => Array.from({ length }, (_, i) => (i === at ? 1 : 0));

describe("rhythmFeatures", () => {
  it("weigh the user's choices of the product by the proximity of their hour and weekday", () => {
    // Choices last Wednesday and yesterday at noon, and on Saturday at three: exp(-3 h * 3 h / (2 * 1.5 h * 1.5 h)).
    const profile = profileOf([
      makeInteraction("p0", now - 7 * day),
      makeInteraction("p0", now - 4 * day + 3 * hour),
      makeInteraction("p0", now - day),
    ]);
    const values = featureValues(rhythmFeatures, contextOf(profile, block), block);
    const afternoon = Math.exp(-2);
    expect(values.own_hour_mass).toBeCloseTo(Math.log1p(2 + afternoon), 5);
    expect(values.own_hour_share).toBeCloseTo((2 + afternoon) / 4, 5);
    expect(values.own_weekday_share).toBeCloseTo(1 / 4, 5);
    expect(values.own_hour_weekday_mass).toBeCloseTo(Math.log(2), 5);
    expect(values.own_hour_daytype_mass).toBeCloseTo(Math.log(3), 5);
    expect(values.own_hour_recent_mass).toBeCloseTo(
      Math.log1p(2 ** (-7 / 21) + afternoon * 2 ** (-3.875 / 21) + 2 ** (-1 / 21)),
      5,
    );
    expect(values.own_today).toBe(0);
    expect(values.own_day_ago).toBeCloseTo(1, 5);
    expect(values.own_week_ago).toBeCloseTo(1, 5);
  });

  it("weigh a choice one and a half hours off this time of yesterday or a week ago less", () => {
    const at = (time: number): Record<string, number> =>
      featureValues(rhythmFeatures, contextOf(profileOf([makeInteraction("p0", time)]), block), block);
    expect(at(now - day + 1.5 * hour).own_day_ago).toBeCloseTo(Math.exp(-1 / 2), 5);
    expect(at(now - 7 * day - 1.5 * hour).own_week_ago).toBeCloseTo(Math.exp(-1 / 2), 5);
  });

  it("scale masses, but not shares, up to choices whose times the profile has dropped", () => {
    const profile = profileOf(
      Array.from({ length: 64 }, (_, i) => makeInteraction("p0", now - (64 - i) * day)),
    );
    const values = featureValues(rhythmFeatures, contextOf(profile, block), block);
    expect(values.own_hour_mass).toBeCloseTo(Math.log(65), 5);
    expect(values.own_hour_share).toBeCloseTo(32 / 33, 5);
  });

  it("wrap hours around midnight", () => {
    const profile = profileOf([makeInteraction("p0", now - day + 11 * hour)]);
    const time = now + 13 * hour;
    const { own_hour_mass, own_today } = featureValues(
      rhythmFeatures,
      contextOf(profile, block, { time }),
      block,
    );
    expect(own_hour_mass).toBeCloseTo(Math.log1p(Math.exp(-4 / 4.5)), 5);
    expect(own_today).toBe(0);
  });

  it("tell today from yesterday on the local clock", () => {
    const profile = profileOf([makeInteraction("p0", now - hour)], 12 * hour);
    const offsetSeconds = 12 * hour;
    const today = (time: number): number =>
      featureValues(rhythmFeatures, contextOf(profile, block, { time, offsetSeconds }), block).own_today;
    expect(today(now - 1)).toBeCloseTo(Math.log(2), 5);
    expect(today(now)).toBe(0);
  });

  it("do not count a choice of a later day as one of today", () => {
    const profile = profileOf([makeInteraction("p0", now + day)]);
    expect(featureValues(rhythmFeatures, contextOf(profile, block), block).own_today).toBe(0);
  });

  it("are 0 for the product's rhythm if the hours of its people are unknown", () => {
    const rows = blockOf([{ counts: [0, 0, 0, 0, 0, 9] }]);
    const values = featureValues(rhythmFeatures, contextOf(emptyProfile(), rows), rows);
    expect(Math.abs(values.product_hour)).toBe(0);
    expect(Math.abs(values.product_weekday)).toBe(0);
  });

  it("compare the product's hours and weekdays with uniform ones, weighted by its people", () => {
    const at = (hourOfDay: number, people: number): Record<string, number> => {
      const rows = blockOf([
        { counts: [0, 0, 0, 0, 0, people], hours: only(hourOfDay, 24), weekdays: only(2, 7) },
      ]);
      return featureValues(rhythmFeatures, contextOf(emptyProfile(), rows), rows);
    };
    // The sum of the kernel over all hours is its integral.
    expect(at(12, 3).product_hour).toBeCloseTo((24 / (1.5 * Math.sqrt(2 * Math.PI)) - 1) / 2, 4);
    expect(at(12, 3).product_weekday).toBeCloseTo((7 - 1) / 2, 5);
    expect(at(12, 9).product_weekday).toBeCloseTo((7 - 1) * 0.75, 5);
    for (let apart = 0; apart < 6; apart++)
      expect(at(12 + apart, 3).product_hour).toBeGreaterThan(at(13 + apart, 3).product_hour);
    expect(at(0, 3).product_hour).toBeCloseTo(-1 / 2, 5);
  });

  it("are 0 if nobody has chosen the product", () => {
    const values = featureValues(rhythmFeatures, contextOf(emptyProfile(), block), block);
    for (const value of Object.values(values)) expect(Math.abs(value)).toBe(0);
    const dismissed = profileOf([makeInteraction("p0", now - day, { type: "dismiss" })]);
    expect(featureValues(rhythmFeatures, contextOf(dismissed, block), block)).toEqual(values);
  });

  it("stay bounded for choices after now, on any clock", () => {
    const events = Array.from({ length: 40 }, (_, i) => makeInteraction("p0", now + i * 5 * hour));
    const profile = profileOf(events, 14 * hour);
    const values = featureValues(
      rhythmFeatures,
      contextOf(profile, block, { offsetSeconds: -11 * hour }),
      block,
    );
    for (const value of Object.values(values)) expect(Math.abs(value)).toBeLessThanOrEqual(5);
  });
});
