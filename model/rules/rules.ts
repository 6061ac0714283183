import { categoryOf } from "../columns/columns.ts";
import { ProductMap } from "../columns/product-map.ts";
import { diversify } from "./diversify.ts";
import { RankedOrder } from "./ranked-order.ts";
import type { RankedRow } from "./ranked-row.ts";

/** Business rules of a request, applied to the ranked list. */
export interface Rules {
  limit: number;
  /** Factors on the score, by category; 0 removes the category. */
  boost?: Readonly<Record<string, number>>;
  /** Weight of dissimilarity against score, 0..1. */
  diversity?: number;
  /** Products of one category, at most. */
  perCategory?: number;
}

/** Best candidates among which diversity selects: this many for each item of the list, and at least the minimum. */
const diversityPoolPerItem = 10;
const minDiversityPool = 50;

/** Returns the categories that a boost of 0 removes. */
export const removedCategories = (boost: Rules["boost"] = {}): string[] =>
  Object.entries(boost).flatMap(([name, factor]) => (factor === 0 ? [name] : []));

/** Returns the factor on the scores of a category. */
export const boostOf = (boost: Rules["boost"] = {}, category: string): number =>
  Object.hasOwn(boost, category) ? boost[category] : 1;

/**
 * Returns the list to show: boosts, the best of each group of variants, caps per category and diversity, each product
 * once. The order is by score, ties by product, so that the same input always gives the same list.
 */
export function applyRules<R extends RankedRow>(ranked: readonly R[], rules: Rules): R[] {
  const { limit, perCategory = Number.POSITIVE_INFINITY, diversity = 0 } = rules;
  const list = new RankedOrder(boosted(ranked, rules.boost ?? {}));
  const counts = new Map<string, number>();
  const selected: R[] = [];
  const addWithinCap = (each: R): boolean => {
    const category = categoryOf(each.block, each.row);
    const count = counts.get(category) ?? 0;
    if (count >= perCategory) return false;
    counts.set(category, count + 1);
    selected.push(each);
    return true;
  };
  let next = 0;
  if (diversity > 0) {
    next = Math.max(minDiversityPool, limit * diversityPoolPerItem);
    diversify(list.first(next), limit, diversity, addWithinCap);
  }
  // With diversity, the caps may leave too few products of the pool.
  for (let each = list.at(next); each && selected.length < limit; each = list.at(++next)) addWithinCap(each);
  return selected;
}

/** Returns each product once, with its score times the factor of its category; without those whose factor is 0. */
function boosted<R extends RankedRow>(ranked: readonly R[], boost: Readonly<Record<string, number>>): R[] {
  const factors = new Map(Object.entries(boost));
  const seen = new ProductMap<true>(ranked.length);
  const list: R[] = [];
  for (const each of ranked) {
    if (seen.get(each.block, each.row)) continue;
    seen.insert(each.block, each.row, true);
    const factor = factors.size === 0 ? 1 : (factors.get(categoryOf(each.block, each.row)) ?? 1);
    if (factor > 0) list.push(factor === 1 ? each : { ...each, score: each.score * factor });
  }
  return list;
}
