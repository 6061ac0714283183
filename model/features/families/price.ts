import { discountShare } from "../../../shared/money/discount.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { categoryOf, currencyOf, priceAfterDiscountOf } from "../../columns/columns.ts";
import { currencyKey, type PricesByCurrency } from "../../profile/profile.ts";
import type { FeatureFamily } from "./feature-family.ts";

/**
 * Prices as differences of logarithms, always within one currency: the price after discount against that of all
 * candidates (`price_log`) and of those of the category (`price_vs_around`); the list price against the list prices
 * that the user usually chooses, overall and in the category. A price in a currency without any other price is 0, as an
 * unknown one. Also discount, rating and age of the product.
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
    const paid = priceAfterDiscountOf(block, row);
    if (paid > 0) {
      const currency = currencyKey(currencyOf(block, row));
      const { profile, categories } = context;
      const candidates = context.list.prices.get(currency);
      const category = categoryOf(block, row);
      const paidLog = Math.log(paid);
      const listLog = Math.log(block.priceMinor[row]);
      out[at] = 1;
      out[at + 1] = clip(paidLog - (candidates?.all ?? paidLog));
      out[at + 2] = clip(listLog - (usualLog(profile.prices, currency) ?? listLog));
      out[at + 3] = clip(listLog - (usualLog(categories.get(category)?.prices ?? {}, currency) ?? listLog));
      out[at + 4] = clip(paidLog - (candidates?.categories.get(category) ?? paidLog));
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

/** Returns the mean logarithm of the list prices that the user chose in a currency; undefined without any. */
function usualLog(prices: PricesByCurrency, currency: string): number | undefined {
  const stats = prices[currency];
  return stats && stats.logs / stats.count;
}

const clip = (value: number): number => Math.max(-3, Math.min(3, value));
