import { categoryOf } from "../columns/columns.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { Rule, Rules } from "./rule.ts";

/** Returns the categories that a boost of 0 removes. */
export const removedCategories = (boost: Rules["boost"] = {}): string[] =>
  Object.entries(boost).flatMap(([name, factor]) => (factor === 0 ? [name] : []));

/** Multiplies the scores of whole categories; a factor of 0 leaves a category out. */
export const categoryBoostRule: Rule = {
  name: "boost",
  prepare({ boost = {} }) {
    const factors = new Map(Object.entries(boost));
    if (factors.size === 0) return null;
    const factorOf = ({ block, row }: BlockRow): number => factors.get(categoryOf(block, row)) ?? 1;
    return {
      score(row, score) {
        const factor = factorOf(row);
        return factor > 0 ? score * factor : null;
      },
      touched(row) {
        const factor = factorOf(row);
        return factor === 1 ? [] : [{ rule: "boost", factor }];
      },
    };
  },
};
