import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, makeInteraction, now, profileOf } from "../testing.ts";
import { situationFeatures } from "./situation.ts";

/** Nobody has chosen the first of the two products. */
const block = blockOf([{}, { counts: [9, 0, 0, 0, 0, 2] }]);
const profile = profileOf([
  makeInteraction("x", now - 9 * day),
  makeInteraction("y", now - 3 * day),
  makeInteraction("x", now - 6 * hour),
]);

describe("situationFeatures", () => {
  it("compute the user's choices and products, and the time since their last choice, also on day and week circles", () => {
    const values = featureValues(situationFeatures, contextOf(profile, block), block);
    expect(values.person_choices).toBeCloseTo(Math.log(4) / 2, 5);
    expect(values.person_products).toBeCloseTo(Math.log(3) / 2, 5);
    expect(values.since_last).toBeCloseTo(Math.log(1.25), 5);
    expect(values.since_last_sin).toBeCloseTo(1, 5);
    expect(values.since_last_cos).toBeCloseTo(0, 5);
    expect(values.since_last_week_sin).toBeCloseTo(Math.sin(Math.PI / 14), 5);
    expect(values.since_last_week_cos).toBeCloseTo(Math.cos(Math.PI / 14), 5);
  });

  it("compute hour and weekend on the local clock", () => {
    const at = (offsetSeconds: number): Record<string, number> =>
      featureValues(situationFeatures, contextOf(profile, block, { offsetSeconds }), block);
    expect(at(0).hour_sin).toBeCloseTo(0, 5);
    expect(at(0).hour_cos).toBeCloseTo(-1, 5);
    expect(at(6 * hour).hour_sin).toBeCloseTo(-1, 5);
    expect(at(6 * hour).hour_cos).toBeCloseTo(0, 5);
    expect(at(0).weekend).toBe(0);
    expect(at(0).since_last).toBe(at(6 * hour).since_last);
    const weekends = Array.from({ length: 7 }, (_, i) => {
      const context = contextOf(profile, block, { time: now + i * day });
      return featureValues(situationFeatures, context, block).weekend;
    });
    expect(weekends).toEqual([0, 0, 0, 1, 1, 0, 0]);
  });

  it("compute the user's novelty, and the share of candidates that nobody has chosen", () => {
    const values = featureValues(situationFeatures, contextOf(profile, block), block);
    // Two of three choices were the first of their product; the prior is 0.3, worth four choices.
    expect(values.novelty).toBeCloseTo((2 + 1.2) / (3 + 4), 5);
    expect(values.list_fresh).toBeCloseTo(Math.log((1 + 5) / (2 + 50)) / 2, 5);
  });

  it("compute how the sources found the candidate", () => {
    const trace = { near: 0.25, sources: 3 };
    expect(featureValues(situationFeatures, contextOf(profile, block), block, 0, trace)).toMatchObject({
      found_near: 0.25,
      found_sources: 1.5,
    });
  });

  it("are 0 for a user without choices, even with a dismissal", () => {
    const dismissed = profileOf([makeInteraction("x", now - day, { type: "dismiss" })]);
    for (const each of [emptyProfile(), dismissed])
      expect(featureValues(situationFeatures, contextOf(each, block), block)).toMatchObject({
        person_choices: 0,
        since_last: 0,
        since_last_sin: 0,
        since_last_cos: 0,
        since_last_week_sin: 0,
        since_last_week_cos: 0,
      });
  });

  it("treat a choice that is later than now as just made", () => {
    const later = profileOf([makeInteraction("x", now + 3 * day)], 14 * hour);
    const context = contextOf(later, block, { offsetSeconds: -11 * hour });
    expect(featureValues(situationFeatures, context, block)).toMatchObject({
      since_last: 0,
      since_last_sin: 0,
      since_last_cos: 1,
    });
  });
});
