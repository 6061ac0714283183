import { fastLog, fastLog1p } from "../../../shared/math/fast-log.ts";
import { discountShare } from "../../../shared/money/discount.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { priceAfterDiscountOf } from "../../columns/columns.ts";
import { noString } from "../../columns/layout.ts";
import { currencyKey, type PricesByCurrency } from "../../profile/profile.ts";
import type { PriceLevels, RankedBlock } from "../ranked-block.ts";
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
  fill(of, row, _trace, out, at) {
    const { context, block } = of;
    for (let i = 0; i < 5; i++) out[at + i] = 0;
    const paid = priceAfterDiscountOf(block, row);
    if (paid > 0) {
      const levels = priceLevelsOf(of, block.currency[row], block.category[row]);
      const paidLog = fastLog(paid);
      const listLog = fastLog(block.priceMinor[row]);
      out[at] = 1;
      out[at + 1] = clip(paidLog - (levels.candidates ?? paidLog));
      out[at + 2] = clip(listLog - (levels.usual ?? listLog));
      out[at + 3] = clip(listLog - (levels.usualInCategory ?? listLog));
      out[at + 4] = clip(paidLog - (levels.category ?? paidLog));
    }
    out[at + 5] = discountShare(block.discountMillionths[row]) * 2;
    const rating = block.rating[row];
    const isRated = !Number.isNaN(rating);
    out[at + 6] = isRated ? 1 : 0;
    out[at + 7] = isRated ? (rating - 5) / 2.5 : 0;
    out[at + 8] = fastLog1p(Math.max(0, context.now - block.createdAt[row]) / daySeconds) / 4;
  },
};

/** Returns the price levels of a currency and a category, by their indices among the block's strings. */
function priceLevelsOf(
  { context, block, priceLevels }: RankedBlock,
  currency: number,
  category: number,
): PriceLevels {
  const { profile, categories, list } = context;
  const { strings } = block;
  const inCurrency = currency === noString ? strings.length : currency;
  priceLevels[inCurrency] ??= [];
  const known = priceLevels[inCurrency][category];
  if (known) return known;
  const key = currencyKey(currency === noString ? null : strings[currency]);
  const name = strings[category];
  const candidates = list.prices.get(key);
  const levels = {
    candidates: candidates?.all,
    category: candidates?.categories.get(name),
    usual: usualLog(profile.prices, key),
    usualInCategory: usualLog(categories.get(name)?.prices ?? {}, key),
  };
  priceLevels[inCurrency][category] = levels;
  return levels;
}

/** Returns the mean logarithm of the list prices that the user chose in a currency; undefined without any. */
function usualLog(prices: PricesByCurrency, currency: string): number | undefined {
  const stats = prices[currency];
  return stats && stats.logs / stats.count;
}

const clip = (value: number): number => Math.max(-3, Math.min(3, value));
