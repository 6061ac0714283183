import type { Rules } from "../../rules/rule.ts";
import { SelectedProducts } from "../../rules/similarity.ts";
import type { ListInPlay, LoggedProduct } from "./list-in-play.ts";

/** How a policy orders the products that a logged list might have shown. */
export interface TargetPolicy {
  /**
   * Rules in addition to those of the request: factors on the scores of categories, diversity, a cap for each category, and
   * the length of the list, if it is not that of the logged one.
   */
  rules: Partial<Pick<Rules, "boost" | "diversity" | "perCategory" | "limit">>;
  /** Scores of another model, by row of the example; absent for those of the model that served. */
  modelScores?: ArrayLike<number>;
}

/** The list that a policy shows. */
export interface TargetList {
  /** In the order of the list. */
  products: LoggedProduct[];
  /** Estimated share of the positions that the policy would give to products that the logging policy never shows; may exceed 1. */
  outside: number;
}

/**
 * Returns the list that a policy makes of the products in play, and what share of its positions other candidates would take:
 * each product of the sample that would get one counts for those that it represents. It would get one if fewer products are
 * before it than the list has positions, where a product of the sample before it counts in the same way. So the estimate is
 * unbiased if few other candidates get a position, and too high rather than too low if many do.
 */
export function targetListOf(list: ListInPlay, policy: TargetPolicy): TargetList {
  const { inPlay, sampled, represented } = list;
  const length = policy.rules.limit ?? list.length;
  const scores = new Map([...inPlay, ...sampled].map((each) => [each, scoreBy(policy, each)]));
  const scoreOf = (each: LoggedProduct): number => scores.get(each) ?? 0;
  const products: LoggedProduct[] = [];
  for (const each of selectProducts(inPlay, scoreOf, policy.rules)) {
    if (products.length === length) break;
    products.push(each);
  }
  const others = new Set(sampled);
  let outside = Math.max(0, length - inPlay.length);
  let before = 0;
  for (const each of selectProducts([...inPlay, ...sampled], scoreOf, policy.rules)) {
    if (before >= length) break;
    if (others.has(each)) outside += represented;
    before += others.has(each) ? represented : 1;
  }
  return { products, outside: outside / length };
}

/**
 * Returns the score by which a policy orders a product. Boosts, distance and history multiply the score of a model
 * within 60 km, so another model's score is multiplied by the same factor.
 */
function scoreBy({ rules, modelScores }: TargetPolicy, product: LoggedProduct): number {
  const { row, score, listScore, category } = product;
  const own = modelScores === undefined ? listScore : (modelScores[row] * listScore) / (score || 1);
  return own * (rules.boost?.[category] ?? 1);
}

/** Yields the products in the order of the rules, as `applyRules` does: by maximal marginal relevance within the cap. */
function* selectProducts(
  products: readonly LoggedProduct[],
  scoreOf: (product: LoggedProduct) => number,
  { diversity = 0, perCategory = Number.POSITIVE_INFINITY }: TargetPolicy["rules"],
): Generator<LoggedProduct> {
  const left = products
    .filter((each) => scoreOf(each) > 0)
    .sort((a, b) => scoreOf(b) - scoreOf(a) || a.rank - b.rank);
  const best = left.length > 0 ? scoreOf(left[0]) || 1 : 1;
  const counts = new Map<string, number>();
  const similar = new SelectedProducts();
  while (left.length > 0) {
    let next = 0;
    if (diversity > 0) {
      let highest = Number.NEGATIVE_INFINITY;
      left.forEach((each, i) => {
        const value = (1 - diversity) * (scoreOf(each) / best) - diversity * similar.maxSimilarity(each);
        if (value > highest) [highest, next] = [value, i];
      });
    }
    const [product] = left.splice(next, 1);
    const count = counts.get(product.category) ?? 0;
    if (count >= perCategory) continue;
    counts.set(product.category, count + 1);
    similar.add(product);
    yield product;
  }
}
