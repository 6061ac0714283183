import { categoryOf } from "../columns/columns.ts";
import { ProductMap } from "../columns/product-map.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { compareRanked } from "./ranked-order.ts";
import type { RankedRow } from "./ranked-row.ts";
import type { Rule } from "./rule.ts";

/** The positions among which an intent has a share. */
const firstPositions = 10;
/** A product whose score would have to grow by more than this factor is no good answer to the intent. */
const maxFactor = 100;
/** Factor by which a raised score is above the one that it must exceed. */
const above = 1 + 2 ** -20;

/** Returns the last positions that the products of an intent may have, from 1: spread over the first ten. */
const lastPositions = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.ceil((firstPositions * (i + 1)) / count));

/**
 * Gives the category that the user is looking for some of the first ten positions of the list, at least. It raises the
 * scores of the best products of the category as far as they have to be, so that a list that has enough of them stays as
 * it is. A product of score 0 stays where it is. Pins, caps and diversity may still leave one out.
 */
export const followIntentRule: Rule = {
  name: "intent",
  prepare({ offset = 0 }, { intent }) {
    if (!intent) return null;
    const isWanted = ({ block, row }: BlockRow): boolean => categoryOf(block, row) === intent.category;
    const factors = new ProductMap<number>(intent.positions);
    return {
      raise<R extends RankedRow>(ranked: readonly R[], shown: readonly BlockRow[]) {
        const wanted = ranked.filter(isWanted).sort(compareRanked);
        const others = bestOf(
          ranked.filter((each) => !isWanted(each)),
          firstPositions,
        );
        const alreadyShown = shown.filter(isWanted).length;
        const raised = new Map<R, number>();
        for (const [i, position] of lastPositions(intent.positions).slice(alreadyShown).entries()) {
          const product = wanted.at(i);
          // At most so many others stand before the product on this page.
          const before = position - offset - i - 1;
          const toExceed = others.at(before);
          if (product === undefined || before < 0 || before >= others.length || toExceed === undefined)
            continue;
          if (product.score > toExceed.score || product.score * maxFactor < toExceed.score) continue;
          if (product.score === 0) continue;
          const score = toExceed.score * above;
          raised.set(product, score);
          factors.insert(product.block, product.row, score / product.score);
        }
        return raised;
      },
      touched({ block, row }) {
        const factor = factors.get(block, row);
        return factor === undefined ? [] : [{ rule: "intent", factor }];
      },
    };
  },
};

/** Returns the best rows, the best first, at most `count`. */
function bestOf<R extends RankedRow>(rows: readonly R[], count: number): R[] {
  const best: R[] = [];
  for (const each of rows) {
    if (best.length === count && compareRanked(best[count - 1], each) <= 0) continue;
    let at = best.length;
    while (at > 0 && compareRanked(best[at - 1], each) > 0) at--;
    best.splice(at, 0, each);
    if (best.length > count) best.pop();
  }
  return best;
}
