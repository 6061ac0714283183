import type { TouchedRule } from "../../shared/contracts/recommendation.ts";
import type { Columns } from "../columns/columns.ts";
import { type Condition, compileCondition } from "./condition.ts";
import type { Rule } from "./rule.ts";

/** A boost whose condition is compiled. */
interface ActiveBoost {
  condition: Condition;
  multiply: number;
  add: number;
}

/** What all boosts together do with the scores of a block's products, by row. */
interface Changes {
  factors: Float64Array;
  sums: Float64Array;
}

function changesOf(block: Columns, boosts: readonly ActiveBoost[]): Changes {
  const factors = new Float64Array(block.count).fill(1);
  const sums = new Float64Array(block.count);
  for (const { condition, multiply, add } of boosts) {
    const rows = condition.rowsThatMeet(block);
    for (let row = 0; row < rows.length; row++) {
      if (rows[row] === 0) continue;
      factors[row] *= multiply;
      sums[row] += add;
    }
  }
  return { factors, sums };
}

/**
 * Changes the scores of the products that meet conditions: the factors of all boosts that apply multiply the score, then
 * what they add is added, so that the order of the boosts does not matter. A score below 0 becomes 0.
 */
export const boostsRule: Rule = {
  name: "boosts",
  prepare({ boosts = [] }, context) {
    if (boosts.length === 0) return null;
    const active = boosts.map(
      ({ when, multiply = 1, add = 0 }): ActiveBoost => ({
        ...{ condition: compileCondition(when, context), multiply, add },
      }),
    );
    const changes = new Map<Columns, Changes>();
    return {
      score({ block, row }, score) {
        let change = changes.get(block);
        if (!change) {
          change = changesOf(block, active);
          changes.set(block, change);
        }
        return Math.max(0, score * change.factors[row] + change.sums[row]);
      },
      touched: (row) =>
        active.flatMap(({ condition, multiply, add }, index): TouchedRule[] => {
          if ((multiply === 1 && add === 0) || !condition.isMet(row)) return [];
          return [{ rule: "boosts", index, ...(add === 0 ? { factor: multiply } : { add }) }];
        }),
    };
  },
};
