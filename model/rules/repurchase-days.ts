import { daySeconds } from "../../shared/time/seconds.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { buysAgain } from "./repeat-habits.ts";

/** Limits of a usual time between purchases, in days. */
export const minRepurchaseDays = 1;
export const maxRepurchaseDays = 365;
/** Days with purchases in a category from which they tell a usual time, if no product was bought again. */
const minPurchaseDays = 3;

/** Days between purchases of one product, added up, and how many gaps they are. */
interface Gaps {
  days: number;
  count: number;
}

/**
 * Returns after how many days a user usually buys in a category again, by name of the category: the mean time between
 * purchases of the same product; without such, that between days with any purchase in the category, if there are at least
 * {@link minPurchaseDays}. Categories whose time the user's purchases do not tell are missing. Counts of products hold no
 * times, so other users' purchases tell nothing here.
 */
export function repurchaseDays({
  purchased,
  products,
}: Pick<ReadonlyProfile, "purchased" | "products">): Map<string, number> {
  const sameProduct = new Map<string, Gaps>();
  const purchaseDays = new Map<string, Set<number>>();
  for (const [id, product] of purchased) {
    const category = products.get(id)?.category ?? null;
    if (category === null) continue;
    const days = purchaseDays.get(category) ?? new Set();
    for (const time of [product.first, product.last]) days.add(Math.floor(time / daySeconds));
    purchaseDays.set(category, days);
    if (!buysAgain(product)) continue;
    const gaps = sameProduct.get(category) ?? { days: 0, count: 0 };
    gaps.days += (product.last - product.first) / daySeconds;
    gaps.count += product.count - 1;
    sameProduct.set(category, gaps);
  }
  const usual = new Map<string, number>();
  for (const [category, days] of purchaseDays) {
    const gaps = sameProduct.get(category);
    const mean = gaps ? gaps.days / gaps.count : meanGap(days);
    if (mean !== null) usual.set(category, Math.min(maxRepurchaseDays, Math.max(minRepurchaseDays, mean)));
  }
  return usual;
}

/** Returns the mean gap between days; null if they are too few. */
const meanGap = (days: ReadonlySet<number>): number | null =>
  days.size < minPurchaseDays ? null : (Math.max(...days) - Math.min(...days)) / (days.size - 1);
