import { describe, expect, it } from "vitest";
import { rangeStarts } from "../examination/position-ranges.ts";
import { drawRanks } from "../experiments/rank-draw.ts";
import { examinationOf } from "../simulate/position-bias.ts";
import { Random } from "../train/random.ts";
import {
  addDrawnList,
  DrawnLists,
  type DrawnSums,
  drawnQuality,
  effectiveDrawnOutcomes,
  expectedLooks,
} from "./drawn-list-quality.ts";
import type { LoggedExample } from "./logged-examples.ts";

const examination = { examined: Float64Array.from(rangeStarts, (position) => examinationOf(position, 1)) };
const pool = 16;

/** Returns a list whose order was drawn among products whose attraction does not depend on the rank. */
function drawnExample(random: Random, attractions: readonly number[], id: number): LoggedExample {
  const { order, propensities } = drawRanks(pool, 8, 1, () => random.next());
  return {
    ...{ id, time: 0, pseudonym: "u", country: null, modelVersion: "v", variant: "", weight: 1 },
    ...{ candidates: 100, rankTemperature: 1, features: new Uint8Array() },
    rows: order.map((rank, i) => {
      const position = i < 8 ? i + 1 : 0;
      const isClicked =
        position > 0 && random.next() < examinationOf(position, 1) && random.next() < attractions[rank];
      return {
        ...{ product: rank, category: null, position, propensity: propensities[i], score: 0 },
        ...{ rank: rank + 1, outcome: isClicked ? ("click" as const) : null },
      };
    }),
  };
}

describe("expectedLooks", () => {
  it("adds up to the looks of all positions, and falls with the rank", () => {
    const looks = expectedLooks(pool, 8, 1, examination);
    const all = Array.from({ length: 8 }, (_, i) => examinationOf(i + 1, 1)).reduce((a, b) => a + b, 0);
    expect(looks.reduce((sum, each) => sum + each, 0)).toBeCloseTo(all, 6);
    for (let rank = 4; rank < pool; rank += 4) expect(looks[rank]).toBeLessThan(looks[rank - 4]);
  });
});

describe("drawnQuality", () => {
  it("finds the order by attraction better than that of the ranking, also of what ranks below the list", () => {
    const random = new Random(2);
    const lists = new DrawnLists(examination);
    // What attracts most has the last ranks.
    const attractions = Array.from({ length: pool }, (_, rank) => 0.1 + (0.4 * rank) / pool);
    const qualities = [1, -1].map((sign) => {
      const sums: DrawnSums = { discounted: 0, outcomes: 0, squares: 0 };
      for (let n = 0; n < 1500; n++) {
        const example = drawnExample(random, attractions, n);
        const engage = Float32Array.from(example.rows, ({ outcome }) => (outcome ? 1 : 0));
        const list = lists.of(example, { engage, purchase: new Float32Array(engage.length) });
        if (list === null) throw new Error("the list is not drawn");
        addDrawnList(
          sums,
          list,
          example.rows.map(({ product }) => sign * product),
        );
      }
      expect(effectiveDrawnOutcomes(sums)).toBeGreaterThan(100);
      return drawnQuality(sums) ?? 0;
    });
    const trueQuality = (sign: number): number => {
      const order = attractions.map((_, i) => i).sort((a, b) => sign * (b - a));
      const total = attractions.reduce((sum, each) => sum + each, 0);
      return (
        order.slice(0, 10).reduce((sum, rank, i) => sum + attractions[rank] / Math.log2(i + 2), 0) / total
      );
    };
    expect(qualities[0]).toBeGreaterThan(qualities[1] + 0.05);
    expect(Math.abs(qualities[0] - trueQuality(1))).toBeLessThan(0.03);
    expect(Math.abs(qualities[1] - trueQuality(-1))).toBeLessThan(0.03);
  });

  it("has no list of the ranking's order, and none whose rows are a part", () => {
    const lists = new DrawnLists(examination);
    const example = drawnExample(new Random(1), new Array<number>(pool).fill(0.1), 1);
    const list = { engage: new Float32Array(pool), purchase: new Float32Array(pool) };
    expect(lists.of({ ...example, rankTemperature: undefined }, list)).toBeNull();
    const rows = example.rows.map((row, i) => ({ ...row, represents: i === 0 ? 2 : 1 }));
    expect(lists.of({ ...example, rows }, list)).toBeNull();
    expect(drawnQuality({ discounted: 0, outcomes: 0, squares: 0 })).toBeNull();
  });
});
