import { describe, expect, it } from "vitest";
import { blockOf, day, makeInteraction, now, profileOf } from "../features/testing.ts";
import { noteShown } from "../profile/shown-products.ts";
import { shownFactors } from "./shown-factors.ts";

const block = blockOf([{}, {}, {}]);
const candidates = [0, 1, 2].map((row) => ({ block, row }));

/** Returns the factors of a user to whom lists showed `p0` and `p1` so many days ago, after choices of products. */
function factorsAfter(shownDaysAgo: number[], choices: [product: string, daysAgo: number][] = []) {
  const profile = profileOf(choices.map(([product, ago]) => makeInteraction(product, now - ago * day)));
  for (const ago of shownDaysAgo) noteShown(profile, ["p0", "p1"], now - ago * day);
  return shownFactors(profile, candidates, now, { shown: "fade" });
}

describe("shownFactors", () => {
  it("fades what was shown and not chosen: more with each look, never to nothing", () => {
    const once = factorsAfter([1]);
    expect([...once.keys()]).toEqual([0, 1]);
    expect(once.get(0)).toBeCloseTo(0.8 ** 0.9517, 4);
    expect(factorsAfter([3, 2, 1]).get(0)).toBeLessThan(once.get(0) ?? 0);
    const daily = factorsAfter(Array.from({ length: 60 }, (_, i) => 60 - i));
    expect(daily.get(0)).toBe(0.3);
  });

  it("recovers with time, and is the same within the look", () => {
    expect(factorsAfter([15]).get(0)).toBeCloseTo(0.8 ** 0.5, 2);
    expect(factorsAfter([90])).toEqual(new Map());
    expect(factorsAfter([0.01])).toEqual(new Map());
  });

  it("does not fade what the user chooses regularly, until the habit is over", () => {
    const weekly = (last: number): [string, number][] =>
      [0, 7, 14, 21].map((ago): [string, number] => ["p0", last + ago]);
    const looks = [5, 4, 3, 2, 1];
    expect([...factorsAfter(looks, weekly(6)).keys()]).toEqual([1]);
    expect([...factorsAfter(looks, weekly(20)).keys()]).toEqual([1]);
    expect([...factorsAfter(looks, weekly(22)).keys()]).toEqual([0, 1]);
    // Three choices of one day are no habit.
    const once: [string, number][] = [
      ["p0", 6],
      ["p0", 6],
      ["p0", 6],
    ];
    expect([...factorsAfter(looks, once).keys()]).toEqual([0, 1]);
  });

  it("changes nothing by the rule `keep`, or without a rule", () => {
    const profile = profileOf([]);
    noteShown(profile, ["p0"], now - day);
    for (const rules of [{}, { shown: "keep" as const }])
      expect(shownFactors(profile, candidates, now, rules)).toEqual(new Map());
  });
});
