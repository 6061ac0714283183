import { daySeconds } from "../../shared/time/seconds.ts";
import { hash53 } from "../columns/hash.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { type HistoryRules, isWithinDays } from "./hidden-products.ts";
import { buysAgain, RepeatHabits } from "./repeat-habits.ts";
import { maxRepurchaseDays, repurchaseDays } from "./repurchase-days.ts";

/**
 * Returns the factors on the scores of `candidates`, by index; a candidate without an entry keeps its score. With the
 * rule `fade`, the factor of a purchased product grows from 0 at the purchase to 1 after `purchasedDays`. With the rule
 * `auto`, a product keeps its score if the user buys it again and again, or if users buy the same product again in its
 * category, by the counts of the candidates. Others fade until the user usually buys in the category again, by
 * {@link repurchaseDays}; where this is not known, for `purchasedDays`. 0 days fade nothing. `now` is in seconds since the
 * epoch.
 */
export function purchasedFactors(
  { purchased, products }: Pick<ReadonlyProfile, "purchased" | "products">,
  candidates: readonly BlockRow[],
  now: number,
  { purchased: rule, purchasedDays }: HistoryRules,
): Map<number, number> {
  const factors = new Map<number, number>();
  if ((rule !== "fade" && rule !== "auto") || purchasedDays === 0) return factors;
  const maxDays = rule === "auto" ? Math.max(purchasedDays, maxRepurchaseDays) : purchasedDays;
  const fading = new Map<number, string>();
  for (const [id, product] of purchased)
    if (isWithinDays(product.last, now, maxDays) && !(rule === "auto" && buysAgain(product)))
      fading.set(hash53(id), id);
  if (fading.size === 0) return factors;
  let habits: RepeatHabits | null = null;
  let usualDays: Map<string, number> | null = null;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row } = candidates[i];
    const id = fading.get(block.idHash[row]);
    if (id === undefined || block.id(row) !== id) continue;
    const last = purchased.get(id)?.last ?? now;
    let days = purchasedDays;
    if (rule === "auto") {
      const category = block.strings[block.category[row]] ?? "";
      usualDays ??= repurchaseDays({ purchased, products });
      days = usualDays.get(category) ?? purchasedDays;
      if (!isWithinDays(last, now, days)) continue;
      habits ??= habitsOf(candidates);
      if (habits.isRepeated(category)) continue;
    }
    factors.set(i, Math.max(0, now - last) / (days * daySeconds));
  }
  return factors;
}

function habitsOf(candidates: readonly BlockRow[]): RepeatHabits {
  const habits = new RepeatHabits();
  for (const { block, row } of candidates) habits.add(block, row);
  return habits;
}
