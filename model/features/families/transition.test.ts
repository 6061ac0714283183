import { describe, expect, it } from "vitest";
import { applyInteraction } from "../../profile/apply-interaction.ts";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, day, featureValues, hour, makeInteraction, now, profileOf } from "../testing.ts";
import { transitionFeatures } from "./transition.ts";

const block = blockOf([
  {
    nextProducts: [
      { productId: "p1", cell: "c", weight: 10 },
      { productId: "p2", cell: "c", weight: 5 },
    ],
  },
  { nextProducts: [{ productId: "p2", cell: "c", weight: 15 }] },
  {},
]);
/** On two days p0 at eleven and p1 at noon; today p0 at eleven, and now it is noon. */
const daily = [2, 1, 0].flatMap((ago) => [
  makeInteraction("p0", now - ago * day - hour),
  ...(ago > 0 ? [makeInteraction("p1", now - ago * day)] : []),
]);
const context = contextOf(profileOf(daily), block);

describe("transitionFeatures", () => {
  it("compute the user's shares of transitions from the last and the second last product", () => {
    const [toFirst, toSecond] = [0, 1].map((row) => featureValues(transitionFeatures, context, block, row));
    expect(toSecond.step_own).toBeCloseTo((3 * 2) / (2 + 2), 5);
    expect(toSecond.step_own_count).toBeCloseTo(Math.log(3), 5);
    expect(toSecond.step_own_second).toBe(0);
    expect(toFirst.step_own).toBe(0);
    expect(toFirst.step_own_second).toBeCloseTo((3 * 2) / (2 + 2), 5);
  });

  it("count choices after a gap similar to the one since the last choice", () => {
    const gap = (minutes: number): number =>
      featureValues(
        transitionFeatures,
        contextOf(profileOf(daily), block, { time: now + minutes * 60 }),
        block,
        1,
      ).step_own_gap;
    expect(gap(0)).toBeCloseTo(Math.log(1 + 2), 5);
    const apart = Math.log((2 * hour + 60) / (hour + 60)) / 0.5;
    expect(gap(60)).toBeCloseTo(Math.log1p(2 * Math.exp((-apart * apart) / 2)), 5);
    for (let minutes = 0; minutes < 600; minutes += 30) expect(gap(minutes + 30)).toBeLessThan(gap(minutes));
  });

  it("compute all users' shares of transitions, smoothed by five", () => {
    const [, next, afterNext] = [0, 1, 2].map((row) =>
      featureValues(transitionFeatures, context, block, row),
    );
    expect(next.step_everyone).toBeCloseTo((3 * 10) / (15 + 5), 5);
    expect(next.step_everyone_log).toBeCloseTo((Math.log(0.5) + 6) / 2, 5);
    expect(next.step_everyone_second).toBe(0);
    expect(afterNext.step_everyone).toBeCloseTo((3 * 5) / (15 + 5), 5);
    expect(afterNext.step_everyone_second).toBeCloseTo((3 * 15) / (15 + 5), 5);
  });

  it("set the logarithm of a share below exp(-6) to 0", () => {
    const rare = blockOf([
      {
        nextProducts: [
          { productId: "p1", cell: "c", weight: 1 },
          { productId: "p2", cell: "c", weight: 994 },
        ],
      },
      {},
    ]);
    const after = contextOf(profileOf([makeInteraction("p0", now - hour)]), rare);
    const values = featureValues(transitionFeatures, after, rare, 1);
    expect(values.step_everyone).toBeCloseTo(3 / 1000, 5);
    expect(values.step_everyone_log).toBe(0);
  });

  it("are 0 without a transition, and for an empty profile", () => {
    const zeros = transitionFeatures.names.map(() => 0);
    const nothing = contextOf(profileOf([makeInteraction("p2", now - hour)]), block);
    expect(Object.values(featureValues(transitionFeatures, nothing, block, 1))).toEqual(zeros);
    expect(
      Object.values(featureValues(transitionFeatures, contextOf(emptyProfile(), block), block, 1)),
    ).toEqual(zeros);
  });

  it("stay finite if the last choice is later than now on their local clocks", () => {
    const profile = profileOf(daily.slice(0, -1));
    applyInteraction(profile, makeInteraction("p0", now - hour), 14 * hour);
    const here = contextOf(profile, block, { offsetSeconds: -11 * hour });
    expect(here.choices[0].localTime).toBeGreaterThan(here.localNow);
    for (const row of [0, 1, 2])
      for (const value of Object.values(featureValues(transitionFeatures, here, block, row)))
        expect(Number.isFinite(value)).toBe(true);
    // The usual gap is an hour; no time has passed on these clocks.
    const apart = Math.log((hour + 60) / 60) / 0.5;
    expect(featureValues(transitionFeatures, here, block, 1).step_own_gap).toBeCloseTo(
      Math.log1p(2 * Math.exp((-apart * apart) / 2)),
      5,
    );
  });

  it("treat choices that are later than now as just made", () => {
    const profile = profileOf([...daily, makeInteraction("p0", now + 5 * day)]);
    for (const value of Object.values(featureValues(transitionFeatures, contextOf(profile, block), block, 1)))
      expect(Math.abs(value)).toBeLessThanOrEqual(5);
  });
});
