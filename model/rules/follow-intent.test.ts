import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoryOf } from "../columns/columns.ts";
import type { Rules } from "./rule.ts";
import { RequestRules } from "./rules.ts";
import { idsOf, rankedProducts, rankedRows } from "./testing.ts";

const intent = { category: "category 1", positions: 2 };
/** Twenty products from the score 1 down, of which those from `from` on are of the category 1. */
const products = (from: number, score = (i: number) => 1 - i / 40) =>
  Array.from({ length: 20 }, (_, i) => ({ score: score(i), category: i < from ? 0 : 1 }));

const listOf = (rows: ReturnType<typeof rankedRows>, rules: Partial<Rules> = {}, wanted = intent) =>
  idsOf(new RequestRules({ limit: 10, collapse: [], ...rules }, { now: 0, intent: wanted }).list(rows));

describe("followIntentRule", () => {
  it("gives the category its share of the first ten positions, spread over them", () => {
    const rows = rankedRows(products(14));
    expect(listOf(rows)).toEqual(["p0", "p1", "p2", "p3", "p14", "p4", "p5", "p6", "p7", "p15"]);
    expect(listOf(rows, {}, { ...intent, positions: 1 }).at(-1)).toBe("p14");
    expect(listOf(rows, {}, { ...intent, positions: 3 })).toEqual([
      ...["p0", "p1", "p2", "p14", "p3", "p4", "p15", "p5", "p6", "p16"],
    ]);
  });

  it("leaves a list as it is that has enough of the category", () => {
    const rows = rankedRows(products(8).map((each, i) => (i === 3 ? { ...each, category: 1 } : each)));
    expect(listOf(rows)).toEqual(listOf(rows, {}, { category: "category 9", positions: 3 }));
  });

  it("lists a product of the category neither of score 0 nor of a hundredth of the others", () => {
    for (const low of [0, 0.001]) {
      const rows = rankedRows(products(14, (i) => (i < 14 ? 1 - i / 40 : low)));
      expect(listOf(rows).filter((id) => Number(id.slice(1)) >= 14)).toEqual([]);
    }
  });

  it("obeys a boost of 0 and a cap of the category", () => {
    const rows = rankedRows(products(14));
    expect(listOf(rows, { boost: { "category 1": 0 } })).not.toContain("p14");
    expect(listOf(rows, { perCategory: 1 }).filter((id) => Number(id.slice(1)) >= 14)).toEqual(["p14"]);
  });

  it("counts the products of pages before, and asks for nothing after the tenth position", () => {
    const [, ...rows] = rankedRows(products(14)).reverse();
    const page = (shown: number, limit: number) => {
      const first = new RequestRules({ limit: shown, collapse: [] }, { now: 0, intent }).list(rows);
      const rest = rows.filter((each) => !first.some(({ row }) => row === each.row));
      const rules = new RequestRules({ limit, offset: shown, collapse: [] }, { now: 0, intent });
      return idsOf([...first, ...rules.list(rest, 0, first)]);
    };
    expect(page(6, 4)).toEqual(page(0, 10));
    const long = page(10, 9);
    expect(long.slice(0, 10).filter((id) => Number(id.slice(1)) >= 14)).toHaveLength(2);
    expect(long.slice(10, 14).filter((id) => Number(id.slice(1)) >= 14)).toEqual([]);
  });

  it("explains the raised scores, and only these", () => {
    const rows = rankedRows(products(14));
    const rules = new RequestRules({ limit: 10, collapse: [] }, { now: 0, intent });
    rules.list(rows);
    const touched = rows.map((row) => rules.touched(row));
    expect(touched.flatMap((each, i) => (each.length > 0 ? [i] : []))).toEqual([14, 15]);
    const [{ rule, factor = 0 }] = touched[14];
    expect(rule).toBe("intent");
    expect(rules.score(rows[14], rows[14].score)).toBeCloseTo(rows[14].score * factor, 9);
    expect(rules.score(rows[3], rows[3].score)).toBe(rows[3].score);
  });

  it("any list: the category has its positions, or all of its products that are worth it", () => {
    fc.assert(
      fc.property(rankedProducts(60), fc.integer({ min: 1, max: 3 }), (random, positions) => {
        const rows = rankedRows(random.map((each) => ({ ...each, group: null, score: 0.1 + each.score })));
        const rules = new RequestRules({ limit: 10 }, { now: 0, intent: { ...intent, positions } });
        const isWanted = (row: (typeof rows)[number]) => categoryOf(row.block, row.row) === intent.category;
        const list = rules.list(rows);
        expect(list.slice(0, 10).filter(isWanted).length).toBeGreaterThanOrEqual(
          Math.min(positions, rows.filter(isWanted).length),
        );
        // Nothing else moves.
        const without = new RequestRules({ limit: 60 }, { now: 0 }).list(rows);
        const others = (each: typeof rows) => idsOf(each.filter((row) => !isWanted(row)));
        expect(others(list)).toEqual(others(without).slice(0, others(list).length));
      }),
    );
  });
});
