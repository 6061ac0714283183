import { discountShare } from "../../../shared/money/discount.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { categoryOf, unitsAfterDiscountOf } from "../../columns/columns.ts";
import type { FeatureFamily } from "./feature-family.ts";

/**
 * Price after discount, in log: by itself, against what the user usually pays (overall and in the category), and
 * against the category's prices among the candidates. Differences of logarithms cancel the currency. Also discount,
 * rating and age of the product.
 */
export const priceFeatures: FeatureFamily = {
  names: [
    "price_known",
    "price_log",
    "price_vs_usual",
    "price_vs_category",
    "price_vs_around",
    "discount",
    "rating_known",
    "rating",
    "age_log",
  ],
  fill(context, block, row, _trace, out, at) {
    out.fill(0, at, at + priceFeatures.names.length);
    const paid = unitsAfterDiscountOf(block, row);
    if (paid > 0) {
      const log = Math.log(paid);
      const { profile } = context;
      const category = categoryOf(block, row);
      const stats = context.categories.get(category);
      out[at] = 1;
      out[at + 1] = Math.max(-2, Math.min(7, log / 3));
      if (profile.priced > 0) out[at + 2] = clip(log - profile.logPrices / profile.priced);
      if (stats && stats.priced > 0) out[at + 3] = clip(log - stats.logPrices / stats.priced);
      out[at + 4] = clip(log - (context.list.logPrices.get(category) ?? log));
    }
    out[at + 5] = discountShare(block.discountMillionths[row]) * 2;
    const rating = block.rating[row];
    if (!Number.isNaN(rating)) {
      out[at + 6] = 1;
      out[at + 7] = (rating - 5) / 2.5;
    }
    out[at + 8] = Math.log1p(Math.max(0, context.now - block.createdAt[row]) / daySeconds) / 4;
  },
};

const clip = (value: number): number => Math.max(-3, Math.min(3, value));
