import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, interaction, now, profileOf } from "../testing.ts";
import { situationFeatures } from "./situation.ts";

/** One of two products is fresh: nobody chose it. */
const block = blockOf([{}, { counts: [9, 0, 0, 0, 0, 2] }]);
const person = profileOf([
  interaction("x", now - 9 * day),
  interaction("y", now - 3 * day),
  interaction("x", now - 6 * hour),
]);

describe("situation", () => {
  it("says how much is known of the person and how long ago they last chose, also modulo a day and a week", () => {
    const values = featureValues(situationFeatures, contextOf(person, block), block);
    expect(values.person_choices).toBeCloseTo(Math.log(4) / 2, 5);
    expect(values.person_products).toBeCloseTo(Math.log(3) / 2, 5);
    expect(values.since_last).toBeCloseTo(Math.log(1.25), 5);
    expect(values.since_last_sin).toBeCloseTo(1, 5);
    expect(values.since_last_cos).toBeCloseTo(0, 5);
    expect(values.since_last_week_sin).toBeCloseTo(Math.sin(Math.PI / 14), 5);
    expect(values.since_last_week_cos).toBeCloseTo(Math.cos(Math.PI / 14), 5);
  });

  it("says the moment on the clock of the place", () => {
    const at = (offsetSeconds: number): Record<string, number> =>
      featureValues(situationFeatures, contextOf(person, block, { offsetSeconds }), block);
    expect(at(0).hour_sin).toBeCloseTo(0, 5);
    expect(at(0).hour_cos).toBeCloseTo(-1, 5);
    expect(at(6 * hour).hour_sin).toBeCloseTo(-1, 5);
    expect(at(6 * hour).hour_cos).toBeCloseTo(0, 5);
    expect(at(0).weekend).toBe(0);
    expect(at(0).since_last).toBe(at(6 * hour).since_last);
    const weekends = Array.from({ length: 7 }, (_, i) => {
      const context = contextOf(person, block, { time: now + i * day });
      return featureValues(situationFeatures, context, block).weekend;
    });
    expect(weekends).toEqual([0, 0, 0, 1, 1, 0, 0]);
  });

  it("says their appetite for what is new, and how much of it there is", () => {
    const values = featureValues(situationFeatures, contextOf(person, block), block);
    // Two of three choices were the first of their product, beside the 0.3 believed of four before any.
    expect(values.novelty).toBeCloseTo((2 + 1.2) / (3 + 4), 5);
    expect(values.list_fresh).toBeCloseTo(Math.log((1 + 5) / (2 + 50)) / 2, 5);
  });

  it("says how the candidate was found", () => {
    const trace = { near: 0.25, sources: 3 };
    expect(featureValues(situationFeatures, contextOf(person, block), block, 0, trace)).toMatchObject({
      found_near: 0.25,
      found_sources: 1.5,
    });
  });

  it("is 0 for someone who has not chosen, though they may have dismissed", () => {
    const dismissed = profileOf([interaction("x", now - day, { type: "dismiss" })]);
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

  it("takes a choice that is later than now for just made", () => {
    const later = profileOf([interaction("x", now + 3 * day)], 14 * hour);
    const context = contextOf(later, block, { offsetSeconds: -11 * hour });
    expect(featureValues(situationFeatures, context, block)).toMatchObject({
      since_last: 0,
      since_last_sin: 0,
      since_last_cos: 1,
    });
  });
});
