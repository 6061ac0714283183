import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyRules, RequestRules } from "./rules.ts";
import { idsOf, rankedProducts, rankedRows, ruleContext } from "./testing.ts";

describe("boosts", () => {
  it("multiply by all factors that apply, then add, in any order", () => {
    const boost = fc
      .record({ brand: fc.nat(3), factor: fc.constantFrom(0.5, 2, 4), add: fc.constantFrom(-0.5, 0.25) })
      .chain(({ brand, factor, add }) =>
        fc.constantFrom(
          { brand, rule: { when: `product.brand == "brand ${brand}"`, multiply: factor } },
          { brand, rule: { when: `product.brand == "brand ${brand}"`, add } },
        ),
      );
    fc.assert(
      fc.property(rankedProducts(20), fc.array(boost, { maxLength: 5 }), (products, boosts) => {
        const rows = rankedRows(products);
        const rules = new RequestRules({ limit: 20, boosts: boosts.map(({ rule }) => rule) }, ruleContext);
        products.forEach(({ score, brand }, i) => {
          let [factor, sum] = [1, 0];
          for (const each of boosts) {
            if (each.brand !== brand) continue;
            factor *= each.rule.multiply ?? 1;
            sum += each.rule.add ?? 0;
          }
          expect(rules.score(rows[i], score)).toBe(Math.max(0, score * factor + sum));
        });
      }),
    );
  });

  it("order the list, read declared attributes, and name themselves in explanations", () => {
    const rows = rankedRows([{ score: 1, brand: 0 }, { score: 0.4, colors: [1, 2] }, { score: 0.3 }]);
    const boosts = [
      { when: '"color 2" in product.attributes.colors', multiply: 2 },
      { when: "has(product.brand)", add: -0.5 },
      { when: 'product.category == "category 0"', multiply: 1 },
    ];
    expect(idsOf(applyRules(rows, { limit: 3, boosts }, ruleContext))).toEqual(["p1", "p0", "p2"]);
    const rules = new RequestRules({ limit: 3, boosts, boost: { "category 0": 3 } }, ruleContext);
    expect(rows.map((row) => rules.touched(row))).toEqual([
      [
        { rule: "boost", factor: 3 },
        { rule: "boosts", index: 1, add: -0.5 },
      ],
      [
        { rule: "boost", factor: 3 },
        { rule: "boosts", index: 0, factor: 2 },
      ],
      [{ rule: "boost", factor: 3 }],
    ]);
  });

  it("throw for a condition that was not checked, or whose context is not decided", () => {
    const apply = (when: string, context = ruleContext) =>
      applyRules(rankedRows([]), { limit: 1, boosts: [{ when, multiply: 2 }] }, context);
    expect(() => apply("product.brnad == 1")).toThrow("a rule has a wrong condition");
    expect(() => apply("true", { now: 0 })).toThrow("must be decided");
  });
});
