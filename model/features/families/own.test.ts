import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, makeInteraction, now, profileOf } from "../testing.ts";
import { ownFeatures } from "./own.ts";

const block = blockOf([{}, {}]);

describe("ownFeatures", () => {
  it("compute the number, share and decay of the user's choices of the product", () => {
    const profile = profileOf([
      makeInteraction("p0", now - 4 * day, { type: "cart" }),
      makeInteraction("p1", now - 3 * day),
      makeInteraction("p0", now - 3 * day, { type: "dismiss" }),
      makeInteraction("p0", now - 2 * day),
    ]);
    const values = featureValues(ownFeatures, contextOf(profile, block), block);
    expect(values.own_known).toBe(1);
    expect(values.own_count).toBeCloseTo(Math.log(3), 5);
    expect(values.own_share).toBeCloseTo((5 * 2) / (3 + 5), 5);
    expect(values["own_decayed_0.25d"]).toBeCloseTo(Math.log1p(2 ** -16 + 2 ** -8), 5);
    expect(values.own_decayed_1d).toBeCloseTo(Math.log1p(1 / 16 + 1 / 4), 5);
    expect(values.own_decayed_120d).toBeCloseTo(Math.log1p(2 ** (-4 / 120) + 2 ** (-2 / 120)), 5);
    expect(values.own_recency).toBeCloseTo(Math.log(1 + 2), 5);
    expect(values.own_is_last).toBe(1);
    expect(values.own_carts).toBeCloseTo(Math.log(2), 5);
    expect(values.own_purchases).toBeCloseTo(Math.log(2), 5);
    expect(values.own_dismissals).toBeCloseTo(Math.log(2), 5);
    // Chosen every two days, last two days ago.
    expect(values.own_mean_gap_passed).toBeCloseTo(1, 5);
    expect(featureValues(ownFeatures, contextOf(profile, block), block, 1).own_is_last).toBe(0);
  });

  it("L6: are 0 without an interaction, and count dismissals of a product that is not known", () => {
    const unknown = featureValues(ownFeatures, contextOf(emptyProfile(), block), block);
    expect(Object.values(unknown)).toEqual(ownFeatures.names.map(() => 0));
    const profile = profileOf([makeInteraction("p0", now - day, { type: "dismiss" })]);
    const dismissed = featureValues(ownFeatures, contextOf(profile, block), block);
    const expected = ownFeatures.names.map((name) => (name === "own_dismissals" ? Math.log(2) : 0));
    Object.values(dismissed).forEach((value, i) => void expect(value).toBeCloseTo(expected[i], 5));
  });

  it("do not count a dismissal as a choice", () => {
    const chosen = [makeInteraction("p0", now - 8 * day), makeInteraction("p0", now - 4 * day)];
    const dismissed = [...chosen, makeInteraction("p0", now - day, { type: "dismiss" })];
    const [before, after] = [chosen, dismissed].map((events) =>
      featureValues(ownFeatures, contextOf(profileOf(events), block), block),
    );
    expect(after.own_recency).toBe(before.own_recency);
    expect(after.own_mean_gap_passed).toBe(before.own_mean_gap_passed);
  });

  it("decay with every hour", () => {
    const profile = profileOf([makeInteraction("p0", now - hour)]);
    const at = (time: number) => featureValues(ownFeatures, contextOf(profile, block, { time }), block);
    for (let hours = 0; hours < 48; hours++) {
      const [sooner, later] = [at(now + hours * hour), at(now + (hours + 1) * hour)];
      expect(later.own_decayed_1d).toBeLessThan(sooner.own_decayed_1d);
      expect(later.own_decayed_120d).toBeLessThan(sooner.own_decayed_120d);
      expect(later.own_recency).toBeGreaterThan(sooner.own_recency);
    }
  });

  it("limit the share of the mean gap to three", () => {
    const profile = profileOf([makeInteraction("p0", now - 30 * day), makeInteraction("p0", now - 29 * day)]);
    expect(featureValues(ownFeatures, contextOf(profile, block), block).own_mean_gap_passed).toBe(3);
    const once = profileOf([makeInteraction("p0", now - 29 * day)]);
    expect(featureValues(ownFeatures, contextOf(once, block), block).own_mean_gap_passed).toBe(0);
  });

  it("treat a choice that is later than now, on any clock, as made now", () => {
    const profile = profileOf([makeInteraction("p0", now + 3 * day)], 14 * hour);
    const values = featureValues(
      ownFeatures,
      contextOf(profile, block, { offsetSeconds: -11 * hour }),
      block,
    );
    expect(values["own_decayed_0.25d"]).toBeCloseTo(Math.log(2), 5);
    expect(values.own_recency).toBe(0);
    for (const value of Object.values(values)) expect(value).toBeLessThanOrEqual(5);
  });
});
