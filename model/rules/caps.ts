import { categoryOf } from "../columns/columns.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { Groups } from "./grouping.ts";
import type { Rule } from "./rule.ts";

/** Returns the categories of which a list has as many products as `perCategory` allows; none without a limit. */
export function fullCategories(rows: readonly BlockRow[], perCategory = Number.POSITIVE_INFINITY): string[] {
  const counts = new Map<string, number>();
  for (const { block, row } of rows) {
    const category = categoryOf(block, row);
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  return [...counts].flatMap(([category, count]) => (count >= perCategory ? [category] : []));
}

/**
 * Limits how many products of one category, group of variants or brand a list has, and of one value of declared attributes.
 * A product whose attribute is a list counts for each of its values.
 */
export const capsRule: Rule = {
  name: "caps",
  prepare({ perCategory, perGroup, perBrand, perAttribute = {} }, context) {
    const limits: [string, number | undefined][] = [
      ["category", perCategory],
      ["group", perGroup],
      ["brand", perBrand],
      ...Object.entries(perAttribute).map(([name, max]): [string, number] => [`attributes.${name}`, max]),
    ];
    const caps = limits.flatMap(([by, max]) =>
      max === undefined ? [] : [{ groups: new Groups(by, context), max, counts: [] as number[] }],
    );
    if (caps.length === 0) return null;
    return {
      isAllowed({ block, row }) {
        for (const { groups, max, counts } of caps) {
          const { starts, items } = groups.of(block);
          for (let i = starts[row]; i < starts[row + 1]; i++)
            if ((counts[items[i]] ?? 0) >= max) return false;
        }
        return true;
      },
      take({ block, row }) {
        for (const { groups, counts } of caps) {
          const { starts, items } = groups.of(block);
          for (let i = starts[row]; i < starts[row + 1]; i++) counts[items[i]] = (counts[items[i]] ?? 0) + 1;
        }
      },
    };
  },
};
