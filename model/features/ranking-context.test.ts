import { describe, expect, it } from "vitest";
import { emptyProfile } from "../profile/profile.ts";
import { distinctChoices, type RankingContext, referencePointIndex } from "./ranking-context.ts";
import { blockOf, contextOf, day, hour, makeInteraction, north, now, origin, profileOf } from "./testing.ts";

const block = blockOf([{}, { counts: [0, 0, 0, 0, 0, 1] }]);
const referencePoint = ({ referencePoints }: RankingContext, at: number): number[] => [
  ...referencePoints.slice(3 * at, 3 * at + 3),
];

describe("rankingContext", () => {
  it("reads hour and weekday from the local clock", () => {
    expect(contextOf(emptyProfile(), block)).toMatchObject({ hour: 12, weekday: 2, localNow: now });
    const offsetSeconds = 12.75 * hour;
    expect(contextOf(emptyProfile(), block, { offsetSeconds })).toMatchObject({ hour: 0, weekday: 3 });
    expect(contextOf(emptyProfile(), block, { offsetSeconds: -13 * hour })).toMatchObject({
      hour: 23,
      weekday: 1,
    });
  });

  it("orders choices newest first, without dismissals; distinctChoices keeps one per product", () => {
    const context = contextOf(
      profileOf([
        makeInteraction("a", now - 4 * hour),
        makeInteraction("b", now - 3 * hour),
        makeInteraction("a", now - 2 * hour),
        makeInteraction("c", now - hour, { type: "dismiss" }),
      ]),
      block,
    );
    const ids = (choices: { productId: string }[]): string[] => choices.map(({ productId }) => productId);
    expect(ids(context.choices)).toEqual(["a", "b", "a"]);
    expect(ids(distinctChoices(context.choices))).toEqual(["a", "b"]);
    expect(context.lastProductId).toBe("a");
    expect(context.lastProductTimes).toEqual([now - 4 * hour, now - 2 * hour]);
    expect(contextOf(emptyProfile(), block).lastProductId).toBe(null);
  });

  it("counts the user's transitions from the last and the second last product", () => {
    const products = ["a", "b", "a", "c", "a", "b", "a"];
    const context = contextOf(
      profileOf(products.map((id, i) => makeInteraction(id, now - (products.length - i) * hour))),
      block,
    );
    expect(context.transitionsFromLast.ofProduct("b")).toBe(2);
    expect(context.transitionsFromLast.ofProduct("c")).toBe(1);
    expect(context.transitionsFromLastSum).toBe(3);
    expect([...context.transitionsFromSecond.values()]).toEqual([2]);
    expect(context.transitionsFromSecond.ofProduct("a")).toBe(2);
    expect(context.transitionsFromSecondSum).toBe(2);
  });

  it("does not confuse the transitions of a product whose id is the prefix of another's", () => {
    const context = contextOf(
      profileOf(["ab", "c", "a"].map((id, i) => makeInteraction(id, now - (3 - i) * hour))),
      block,
    );
    expect(context.transitionsFromLast.isEmpty).toBe(true);
  });

  it("smooths the shares of next products by five", () => {
    const rows = blockOf([{ nextProducts: [{ productId: "next", cell: "c", weight: 15 }] }]);
    const context = contextOf(profileOf([makeInteraction("p0", now - hour)]), rows);
    expect(context.globalTransitionsFromLast.ofProduct("next")).toBe(15 / 20);
    expect(context.globalTransitionsFromSecond.isEmpty).toBe(true);
  });

  it("smooths the shares of transitions from the last category by three", () => {
    const categories = ["cafe", "park", "cafe", "books", "cafe", null, "cafe"];
    const context = contextOf(
      profileOf(
        categories.map((category, i) =>
          makeInteraction("x", now - (categories.length - i) * hour, { category }),
        ),
      ),
      block,
    );
    expect(context.categoryTransitions).toEqual(
      new Map([
        ["park", 1 / 5],
        ["books", 1 / 5],
      ]),
    );
  });

  it("weighs usual places by choices that halve in 60 days; the weights add up to one", () => {
    const { usualPlaces } = contextOf(
      profileOf([makeInteraction("x", now - 60 * day, origin), makeInteraction("y", now, north(50))]),
      block,
    );
    expect(usualPlaces.count).toBe(2);
    expect(usualPlaces.weights[0]).toBeCloseTo(2 / 3, 9);
    expect(usualPlaces.weights[1]).toBeCloseTo(1 / 3, 9);
    // The heavier place, 50 km north of the equator, comes first.
    expect(usualPlaces.at[2]).toBeGreaterThan(0);
    expect(usualPlaces.at[5]).toBeCloseTo(0, 9);
    const many = Array.from({ length: 40 }, (_, i) =>
      makeInteraction("x", now - (40 - i) * day, north(20 * i)),
    );
    const densest = contextOf(profileOf(many), block).usualPlaces;
    expect(densest.count).toBe(16);
    expect(densest.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
    expect([...densest.weights].sort((a, b) => b - a)).toEqual([...densest.weights]);
  });

  it("computes novelty from first choices among the newest 20, with a prior of 0.3", () => {
    const novelty = (ids: string[]): number =>
      contextOf(profileOf(ids.map((id, i) => makeInteraction(id, now - (ids.length - i) * hour))), block)
        .novelty;
    expect(novelty([])).toBeCloseTo(0.3, 9);
    expect(novelty(["a", "b", "c", "d"])).toBeCloseTo((4 + 1.2) / 8, 9);
    expect(novelty(["a", "a", "a", "b"])).toBeCloseTo((2 + 1.2) / 8, 9);
    expect(novelty(["a", ...Array<string>(20).fill("a")])).toBeCloseTo(1.2 / 24, 9);
  });

  it("counts a choice as the first of its product even after a dismissal", () => {
    const profile = profileOf([
      makeInteraction("a", now - 2 * day, { type: "dismiss" }),
      makeInteraction("a", now - day),
      makeInteraction("a", now - hour),
    ]);
    expect(contextOf(profile, block).novelty).toBeCloseTo((1 + 1.2) / 6, 9);
  });

  it("holds the user's location, last choice and home, and NaN for an unknown one", () => {
    const profile = profileOf([makeInteraction("x", now - day, { lat: 90, lon: 0 })]);
    const unknown = contextOf(emptyProfile(), block);
    for (const at of Object.values(referencePointIndex))
      expect(referencePoint(unknown, at)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    profile.home = { lat: 0, lon: 90 };
    const context = contextOf(profile, block, { point: origin });
    const near = (vector: number[]): number[] => vector.map((x) => Math.round(x * 1e9) / 1e9);
    expect(near(referencePoint(context, referencePointIndex.point))).toEqual([1, 0, 0]);
    expect(near(referencePoint(context, referencePointIndex.last))).toEqual([0, 0, 1]);
    expect(near(referencePoint(context, referencePointIndex.home))).toEqual([0, 1, 0]);
  });

  it("summarizes the candidates", () => {
    expect(contextOf(emptyProfile(), block).list).toMatchObject({ size: 2, neverChosen: 1 });
  });
});
