import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeColumns } from "../columns/columns.ts";
import { ColumnsBuilder } from "../columns/columns-builder.ts";
import type { RankedRow } from "./ranked-row.ts";
import { applyRules } from "./rules.ts";

const categories = ["cafe", "shop", "park"];

function list(scores: number[]): RankedRow[] {
  const builder = new ColumnsBuilder(scores.length);
  scores.forEach((_, i) => {
    builder.addRow({
      productId: `p${i}`,
      title: "",
      category: categories[i % 3],
      lat: 59 + i / 100,
      lon: 10,
      version: 1,
      createdAt: 0,
      lastTime: 0,
      priceMinor: null,
      currency: null,
      discount: 0,
      rating: null,
      available: true,
      groupId: null,
      cell: "c",
      counts: [0, 0, 0, 0, 0, 0],
      hot: [0, 0, 0],
      hours: [],
      weekdays: [],
      nextProducts: [],
    });
  });
  const block = decodeColumns(builder.finish({ cell: "", version: 1, time: 0, children: [] }));
  if (!block) throw new Error("a fresh block must decode");
  return scores.map((score, row) => ({ block, row, score }));
}
const ids = (ranked: RankedRow[]): string[] => ranked.map(({ block, row }) => block.id(row));

describe("applyRules", () => {
  it("returns the best products, each once, within the limit and the cap per category", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }),
        fc.record({
          limit: fc.integer({ min: 1, max: 20 }),
          perCategory: fc.integer({ min: 1, max: 5 }),
          diversity: fc.constantFrom(0, 0.3, 1),
          exclude: fc.array(fc.nat(60).map((i) => `p${i}`)),
        }),
        (scores, rules) => {
          const ranked = list(scores);
          const answer = applyRules([...ranked, ...ranked], rules, { now: 0 });
          expect(new Set(ids(answer)).size).toBe(answer.length);
          expect(answer.length).toBeLessThanOrEqual(rules.limit);
          for (const category of [0, 1, 2])
            expect(answer.filter(({ row }) => row % 3 === category).length).toBeLessThanOrEqual(
              rules.perCategory,
            );
          if (rules.diversity === 0)
            expect(answer.map((each) => each.score)).toEqual(
              answer.map((each) => each.score).sort((a, b) => b - a),
            );
        },
      ),
    );
  });

  it("raises and removes categories by boost, and mixes categories by diversity", () => {
    const ranked = list([0.9, 0.5, 0.1, 0.8, 0.4, 0.05]);
    expect(ids(applyRules(ranked, { limit: 2 }, { now: 0 }))).toEqual(["p0", "p3"]);
    expect(ids(applyRules(ranked, { limit: 2, boost: { park: 10 } }, { now: 0 }))).toEqual(["p2", "p0"]);
    expect(ids(applyRules(ranked, { limit: 6, boost: { cafe: 0 } }, { now: 0 }))).toEqual([
      "p1",
      "p4",
      "p2",
      "p5",
    ]);
    expect(
      ids(applyRules(ranked, { limit: 3, diversity: 0.9 }, { now: 0 })).map((id) => Number(id.slice(1)) % 3),
    ).toEqual([0, 1, 2]);
  });
});
