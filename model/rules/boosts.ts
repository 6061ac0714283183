import type { TouchedRule } from "../../shared/contracts/recommendation.ts";
import { compileCondition } from "./condition.ts";
import type { Rule } from "./rule.ts";

/**
 * Changes the scores of the products that meet conditions: the factors of all boosts that apply multiply the score, then
 * what they add is added, so that the order of the boosts does not matter. A score below 0 becomes 0.
 */
export const boostsRule: Rule = {
  name: "boosts",
  prepare({ boosts = [] }, context) {
    if (boosts.length === 0) return null;
    const active = boosts.map(({ when, multiply = 1, add = 0 }) => ({
      ...{ applies: compileCondition(when, context), multiply, add },
    }));
    return {
      score(row, score) {
        let factor = 1;
        let sum = 0;
        for (const { applies, multiply, add } of active) {
          if (!applies(row)) continue;
          factor *= multiply;
          sum += add;
        }
        return Math.max(0, score * factor + sum);
      },
      touched: (row) =>
        active.flatMap(({ applies, multiply, add }, index): TouchedRule[] => {
          if ((multiply === 1 && add === 0) || !applies(row)) return [];
          return [{ rule: "boosts", index, ...(add === 0 ? { factor: multiply } : { add }) }];
        }),
    };
  },
};
