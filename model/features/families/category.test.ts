import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, makeInteraction, now, profileOf } from "../testing.ts";
import { categoryFeatures } from "./category.ts";

const noon = Array.from({ length: 24 }, (_, at) => (at === 12 ? 1 : 0));
/** Four people chose the cafe, all at noon. Nobody chose the books or the park. */
const block = blockOf([
  { category: "cafe", counts: [0, 0, 0, 0, 0, 4], hours: noon },
  { category: "books" },
  { category: "park" },
]);
/** Choices at noon: books on a Sunday, a cafe on Wednesday a week ago, books yesterday. */
const profile = profileOf([
  makeInteraction("b0", now - 10 * day, { category: "books" }),
  makeInteraction("p0", now - 7 * day, { category: "cafe" }),
  makeInteraction("b0", now - day, { category: "books" }),
]);
const context = contextOf(profile, block);

describe("categoryFeatures", () => {
  it("compute the share, the decayed choices and the rhythm of the user's choices in the category", () => {
    const values = featureValues(categoryFeatures, context, block);
    expect(values.category_known).toBe(1);
    expect(values.category_share).toBeCloseTo((3 * 1) / (3 + 2), 5);
    expect(values.category_decayed_3d).toBeCloseTo(Math.log1p(2 ** (-7 / 3)), 5);
    expect(values.category_decayed_30d).toBeCloseTo(Math.log1p(2 ** (-7 / 30)), 5);
    // One of three choices at noon, and the only choice on a Wednesday, each smoothed by two choices at its share of
    // 1/5.
    expect(values.category_hour).toBeCloseTo(Math.log((1.4 / 5 + 0.01) / 0.21), 5);
    expect(values.category_weekday).toBeCloseTo(Math.log((1.4 / 3 + 0.01) / 0.21), 5);
    expect(values.category_is_last).toBe(0);
    expect(featureValues(categoryFeatures, context, block, 1).category_is_last).toBe(1);
  });

  it("compute the transitions from the category of the last choice", () => {
    // One transition from books to a cafe, smoothed by three.
    expect(featureValues(categoryFeatures, context, block, 0).category_step).toBeCloseTo(
      (2 * 1) / (1 + 3),
      5,
    );
    expect(featureValues(categoryFeatures, context, block, 1).category_step).toBe(0);
  });

  it("compare all users' choices at this hour with uniform hours", () => {
    const { category_hour_everyone } = featureValues(categoryFeatures, context, block);
    expect(category_hour_everyone).toBeCloseTo(Math.log((4 / 3 + 0.1) / (4 / 24 + 0.1)), 5);
    const evening = contextOf(profile, block, { time: now + 8 * hour });
    expect(featureValues(categoryFeatures, evening, block).category_hour_everyone).toBeCloseTo(
      Math.log(0.1 / (4 / 24 + 0.1)),
      5,
    );
    expect(featureValues(categoryFeatures, context, block, 1).category_hour_everyone).toBe(0);
  });

  it("compare the user's choices with expected ones, which add up to the user's choices", () => {
    // Four people chose the cafe at noon; the prior adds 0.2 to each of the three categories.
    const expected = [4.2, 0.2, 0.2].map((people) => (3 * people) / 4.6);
    [1, 2, 0].forEach((choices, row) => {
      const { category_lift } = featureValues(categoryFeatures, context, block, row);
      expect(category_lift).toBeCloseTo(Math.log((choices + 1) / (expected[row] + 1)), 5);
    });
    const sum = [...context.list.expectedChoices.values()].reduce((all, each) => all + each, 0);
    expect(sum).toBeCloseTo(profile.choices, 9);
  });

  it("are 0 for a category that the user never chose, and for an empty profile", () => {
    expect(featureValues(categoryFeatures, context, block, 2)).toMatchObject({
      category_known: 0,
      category_share: 0,
      category_decayed_3d: 0,
      category_decayed_30d: 0,
      category_hour: 0,
      category_weekday: 0,
      category_is_last: 0,
      category_step: 0,
    });
    const unknown = featureValues(categoryFeatures, contextOf(emptyProfile(), block), block, 2);
    expect(Object.values(unknown)).toEqual(categoryFeatures.names.map(() => 0));
  });

  it("ignore choices without a category", () => {
    const without = profileOf([makeInteraction("x", now - day), makeInteraction("p0", now - hour)]);
    const values = featureValues(categoryFeatures, contextOf(without, block), block);
    expect(values).toMatchObject({ category_known: 0, category_is_last: 0, category_step: 0 });
  });

  it("decay with time, and treat later choices as made now", () => {
    const decayed = (time: number): number =>
      featureValues(categoryFeatures, contextOf(profile, block, { time }), block).category_decayed_3d;
    expect(decayed(now + day)).toBeLessThan(decayed(now));
    expect(decayed(now - 7 * day)).toBeCloseTo(Math.log(2), 5);
    const later = profileOf([makeInteraction("p0", now + 3 * day, { category: "cafe" })], 14 * hour);
    const offset = contextOf(later, block, { offsetSeconds: -11 * hour });
    for (const value of Object.values(featureValues(categoryFeatures, offset, block)))
      expect(Math.abs(value)).toBeLessThanOrEqual(5);
    expect(featureValues(categoryFeatures, offset, block).category_decayed_3d).toBeCloseTo(Math.log(2), 5);
  });

  it("L6: fall below those of an unknown category for one that the user dismissed", () => {
    const dismissal = makeInteraction("p1", now - day, { type: "dismiss", category: "park" });
    const valuesAfter = (events: Parameters<typeof profileOf>[0]) =>
      featureValues(categoryFeatures, contextOf(profileOf(events), block), block, 2);
    const choice = makeInteraction("p2", now - 2 * day, { type: "view", category: "park" });
    const [none, rejected, chosen, both] = [[], [dismissal], [choice], [choice, dismissal]].map(valuesAfter);
    expect(rejected.category_known).toBe(0);
    for (const name of ["category_share", "category_decayed_3d", "category_decayed_30d", "category_lift"]) {
      expect(rejected[name], name).toBeLessThan(none[name]);
      expect(both[name], name).toBeLessThan(none[name]);
      expect(chosen[name], name).toBeGreaterThan(none[name]);
    }
  });
});
