import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockOf } from "../../features/testing.ts";
import { applyRules } from "../../rules/rules.ts";
import { traitsOf } from "../../rules/similarity.ts";
import type { ListInPlay, LoggedProduct } from "./list-in-play.ts";
import { targetListOf } from "./target-list.ts";

const categories = ["cafe", "shop", "park"];

describe("targetListOf", () => {
  it("returns the list that the rules of a request make of the same products", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ score: fc.integer({ min: 1, max: 30 }), category: fc.nat(2), place: fc.nat(4) }),
          {
            minLength: 2,
            maxLength: 25,
          },
        ),
        fc.constantFrom(0, 0.3, 1),
        fc.constantFrom(undefined, 2, 5),
        fc.constantFrom(undefined, { cafe: 2, shop: 0.5 }),
        (worlds, diversity, perCategory, boost) => {
          // No two scores are equal: rules break ties by product, and the log by rank.
          const sorted = worlds
            .map((each, i) => ({ ...each, score: each.score + i * 0.00123 }))
            .sort((a, b) => b.score - a.score);
          const block = blockOf(
            sorted.map(({ category, place }, i) => ({
              productId: `p${String(i).padStart(2, "0")}`,
              category: categories[category],
              lat: 59 + place / 300,
              lon: 10,
            })),
          );
          const limit = Math.max(1, Math.floor(sorted.length / 2));
          const inPlay = sorted.map(
            ({ score, category }, row): LoggedProduct => ({
              ...{
                row,
                rank: row + 1,
                position: Math.min(limit, row + 1),
                isShown: row < limit,
                propensity: 1,
              },
              ...{ score, listScore: score, category: categories[category], outcome: null },
              squares: traitsOf({ block, row }).squares,
            }),
          );
          const list: ListInPlay = {
            ...{ pseudonym: "u", weight: 1, length: limit, inPlay, sampled: [], represented: 1 },
          };
          const rules = { boost, diversity, perCategory };
          expect(targetListOf(list, { rules }).products.map(({ row }) => row)).toEqual(
            applyRules(
              sorted.map(({ score }, row) => ({ block, row, score })),
              { limit, ...rules },
              { now: 0 },
            ).map(({ row }) => row),
          );
        },
      ),
    );
  });

  it("counts each sampled product that the policy would show for those that it represents", () => {
    const product = (row: number, score: number, rank: number): LoggedProduct => ({
      ...{ row, rank, position: Math.min(2, rank), isShown: rank > 0 && rank < 3, propensity: 1 },
      ...{ score, listScore: score, category: "cafe", squares: [], outcome: null },
    });
    const list: ListInPlay = {
      ...{ pseudonym: "u", weight: 1, length: 2, represented: 40 },
      inPlay: [product(0, 0.9, 1), product(1, 0.5, 2)],
      sampled: [product(2, 0.4, 0), product(3, 0.3, 0)],
    };
    expect(targetListOf(list, { rules: {} })).toEqual({ products: list.inPlay, outside: 0 });
    const modelScores = [0.9, 0.5, 0.7, 0.1];
    expect(targetListOf(list, { rules: {}, modelScores })).toEqual({ products: list.inPlay, outside: 20 });
    expect(
      targetListOf(list, { rules: {}, modelScores: [0.1, 0.5, 0, 0] }).products.map(({ row }) => row),
    ).toEqual([1, 0]);
  });

  it("makes a shorter list, and a longer one of products that the log does not show", () => {
    const product = (row: number, score: number): LoggedProduct => ({
      ...{ row, rank: row + 1, position: row + 1, isShown: true, propensity: 1 },
      ...{ score, listScore: score, category: "cafe", squares: [], outcome: null },
    });
    const inPlay = [product(0, 0.9), product(1, 0.5)];
    const list: ListInPlay = { pseudonym: "u", weight: 1, length: 2, represented: 40, inPlay, sampled: [] };
    expect(targetListOf(list, { rules: { limit: 1 } })).toEqual({ products: [inPlay[0]], outside: 0 });
    expect(targetListOf(list, { rules: { limit: 4 } })).toEqual({ products: inPlay, outside: 0.5 });
  });
});
