import { hourSeconds } from "../../shared/time/seconds.ts";
import type { Columns } from "../columns/columns.ts";
import { columnWidth, countOffset } from "../columns/layout.ts";
import type { PurchasedProduct } from "../profile/profile.ts";

/** Share of repeated purchases from which people are said to buy products of a category again. */
const minRepeatShare = 0.15;
/** Purchases that are added to those of a category, none of them repeated: few purchases prove no habit. */
const priorPurchases = 2;

/** Purchases in one category, and how many of them were not the user's first of their product. */
interface CategoryPurchases {
  purchases: number;
  repeats: number;
}

/** How often users buy the same product again, by name of the category, from the counts of some products. */
export class RepeatHabits {
  readonly #categories = new Map<string, CategoryPurchases>();

  /** Adds the counts of a product. */
  add(block: Columns, row: number): void {
    const name = block.strings[block.category[row]] ?? "";
    const at = row * columnWidth.counts;
    const purchases = block.counts[at + countOffset.purchase];
    if (purchases === 0) return;
    const known = this.#categories.get(name) ?? { purchases: 0, repeats: 0 };
    known.purchases += purchases;
    known.repeats += Math.max(0, purchases - block.counts[at + countOffset.buyers]);
    this.#categories.set(name, known);
  }

  /** Returns whether users buy the same product of a category again: the share of repeated purchases, smoothed. */
  isRepeated(category: string): boolean {
    const { purchases, repeats } = this.#categories.get(category) ?? { purchases: 0, repeats: 0 };
    return repeats / (purchases + priorPurchases) >= minRepeatShare;
  }
}

/**
 * Returns whether a user buys a product again and again: twice or more, at least an hour apart. The items of one order
 * are one purchase.
 */
export const buysAgain = ({ count, first, last }: PurchasedProduct): boolean =>
  count > 1 && last - first >= hourSeconds;
