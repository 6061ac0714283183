import { daySeconds } from "../../shared/time/seconds.ts";
import { hash53 } from "../columns/hash.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { ProductStats, ReadonlyProfile } from "../profile/profile.ts";
import { looksAt } from "../profile/shown-products.ts";
import type { HistoryRules } from "./hidden-products.ts";

/** Factor on the score for each look without a choice, and the lowest factor. */
const factorPerLook = 0.8;
const minFactor = 0.3;
/** Looks below which a product does not fade. */
const minLooks = 0.05;

/** Days with choices from which a product is a habit of its user. */
const habitDays = 3;
/** Usual gaps after which a habit that was not followed is over. */
const habitGaps = 3;

/**
 * Returns the factors on the scores of `candidates` that lists showed to the user and that the user did not choose, by index;
 * a candidate without an entry keeps its score. The factor is {@link factorPerLook} to the power of the looks, which halve
 * in two weeks, and {@link minFactor} at least. A product that the user chooses regularly does not fade. `now` is in
 * seconds since the epoch.
 */
export function shownFactors(
  { shown, products }: Pick<ReadonlyProfile, "shown" | "products">,
  candidates: readonly BlockRow[],
  now: number,
  { shown: rule = "keep" }: Pick<HistoryRules, "shown">,
): Map<number, number> {
  const factors = new Map<number, number>();
  if (rule === "keep" || shown.size === 0) return factors;
  const fading = new Map<number, { id: string; looks: number }>();
  for (const [id, each] of shown) {
    const looks = looksAt(each, now);
    if (looks >= minLooks && !isHabit(products.get(id), now)) fading.set(hash53(id), { id, looks });
  }
  if (fading.size === 0) return factors;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row } = candidates[i];
    const each = fading.get(block.idHash[row]);
    if (each && block.id(row) === each.id) factors.set(i, Math.max(minFactor, factorPerLook ** each.looks));
  }
  return factors;
}

/**
 * Returns whether a user chooses a product regularly: on {@link habitDays} days or more, and last not longer ago than
 * {@link habitGaps} times the usual gap between these days. `now` is in seconds since the epoch.
 */
function isHabit(
  stats: (Pick<ProductStats, "last"> & { readonly times: readonly number[] }) | undefined,
  now: number,
): boolean {
  if (!stats) return false;
  const days = new Set(stats.times.map((time) => Math.floor(time / daySeconds)));
  if (days.size < habitDays) return false;
  const gap = (Math.max(...days) - Math.min(...days)) / (days.size - 1);
  return (now - stats.last) / daySeconds <= habitGaps * gap;
}
