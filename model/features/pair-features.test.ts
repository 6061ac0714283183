import { describe, expect, it } from "vitest";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import {
  eventFeatureNames,
  eventHistoryOf,
  fillEvents,
  fillPairs,
  historyLength,
  pairFeatureNames,
} from "./pair-features.ts";
import { rankedBlock } from "./ranked-block.ts";
import { blockOf, contextOf, day, hour, makeInteraction, north, now, origin, profileOf } from "./testing.ts";

const block = blockOf([{ ...origin }, { ...north(2), category: "books" }, {}]);

/** Returns the pair and event features of a row by name, newest event first. */
function pairsOf(profile: UserProfile, row = 0, offsetSeconds = 0): Record<string, number>[] {
  const pairs = new Float32Array(historyLength * pairFeatureNames.length);
  const events = new Float32Array(historyLength * eventFeatureNames.length).fill(Number.NaN);
  const context = contextOf(profile, block, { offsetSeconds });
  const newest = eventHistoryOf(context);
  fillPairs(newest, rankedBlock(context, block), row, pairs, 0);
  fillEvents(newest, events);
  const named = (names: readonly string[], values: Float32Array, i: number) =>
    names.map((name, k) => [name, values[i * names.length + k]]);
  return Array.from({ length: historyLength }, (_, i) =>
    Object.fromEntries([...named(pairFeatureNames, pairs, i), ...named(eventFeatureNames, events, i)]),
  );
}
const profile = profileOf([
  makeInteraction("x", now - 7 * day, { category: "books", ...north(1) }),
  makeInteraction("p0", now - 40 * 60, { type: "view", category: "cafe", ...origin }),
]);

describe("event and pair features", () => {
  it("compare the candidate with each event by product, category and distance", () => {
    const [[sameNewest, sameOldest], [otherNewest, otherOldest]] = [0, 1].map((row) => pairsOf(profile, row));
    expect(sameNewest).toMatchObject({
      present: 1,
      same_product: 1,
      same_category: 1,
      distance: 0,
      within_1km: 1,
    });
    expect(sameOldest).toMatchObject({ present: 1, same_product: 0, same_category: 0 });
    expect(sameOldest.distance).toBeCloseTo(Math.log(2) / 3, 5);
    expect(sameOldest.within_1km).toBeCloseTo(Math.exp(-1), 5);
    expect(otherNewest).toMatchObject({ same_product: 0, same_category: 0 });
    expect(otherNewest.distance).toBeCloseTo(Math.log(3) / 3, 5);
    expect(otherOldest).toMatchObject({ same_product: 0, same_category: 1 });
    expect(otherOldest.within_1km).toBeLessThan(1);
    expect(otherOldest.within_1km).toBeGreaterThan(otherNewest.within_1km);
  });

  it("compute the time and the weight of each event", () => {
    const [newest, oldest] = pairsOf(profile);
    expect(newest.position).toBe(0);
    expect(newest.gap).toBeCloseTo(Math.log1p(40 / 60) / 3, 5);
    expect(newest.just_now).toBeCloseTo(1 / 2, 5);
    expect(newest.weight).toBeCloseTo(1 / 4, 5);
    expect(newest.same_hour).toBeCloseTo(Math.exp(-1 / 2), 5);
    expect(newest.same_weekday).toBe(1);
    expect(oldest.position).toBeCloseTo(1 / historyLength, 5);
    expect(oldest.gap).toBeCloseTo(Math.log1p(7 * 24) / 3, 5);
    expect(oldest.just_now).toBeCloseTo(0, 5);
    expect(oldest.weight).toBeCloseTo(8 / 4, 5);
    expect(oldest.same_hour).toBe(1);
    expect(oldest.same_weekday).toBe(1);
  });

  it("L6: leave out dismissals, which are no sign of interest", () => {
    const [newest, next] = pairsOf(
      profileOf([
        makeInteraction("p1", now - 2 * hour, { type: "view" }),
        makeInteraction("p0", now - hour, { type: "dismiss" }),
      ]),
    );
    expect(newest).toMatchObject({ present: 1, same_product: 0 });
    expect(next).toMatchObject({ present: 0, same_product: 0 });
  });

  it("wrap hours around midnight on the local clock", () => {
    const [atOne] = pairsOf(profileOf([makeInteraction("x", now + hour)], 12 * hour), 0, 11 * hour);
    expect(atOne.same_hour).toBeCloseTo(Math.exp(-2 / 2), 5);
    expect(atOne.same_weekday).toBe(0);
  });

  it("are 0 without an event, and for an unknown location or category", () => {
    for (const pair of pairsOf(emptyProfile()))
      expect(Object.values(pair)).toEqual([...pairFeatureNames, ...eventFeatureNames].map(() => 0));
    expect(pairsOf(profile)[2].present).toBe(0);
    const [unknown] = pairsOf(profileOf([makeInteraction("x", now - hour)]));
    expect(unknown).toMatchObject({ present: 1, same_category: 0, distance: 0, within_1km: 0 });
    expect(pairsOf(profile, 2)[0]).toMatchObject({ present: 1, distance: 0, within_1km: 0 });
  });

  it("cover the newest events only, and decay `just_now` with their age", () => {
    const many = profileOf(
      Array.from({ length: 40 }, (_, i) => makeInteraction(`x${i}`, now - (40 - i) * 600)),
    );
    const pairs = pairsOf(many);
    expect(pairs.map(({ present }) => present)).toEqual(Array(historyLength).fill(1));
    for (const [i, older] of pairs.slice(1).entries()) {
      expect(older.gap).toBeGreaterThan(pairs[i].gap);
      expect(older.just_now).toBeLessThan(pairs[i].just_now);
    }
    expect(pairs[historyLength - 1].gap).toBeCloseTo(Math.log1p(historyLength / 6) / 3, 5);
  });

  it("treat an event that is later than now, on any clock, as happening now", () => {
    const later = profileOf([makeInteraction("p0", now + 3 * day, origin)], 14 * hour);
    const [pair] = pairsOf(later, 0, -11 * hour);
    expect(pair).toMatchObject({ present: 1, gap: 0, just_now: 1 });
    for (const value of Object.values(pair)) expect(Math.abs(value)).toBeLessThanOrEqual(5);
  });
});
