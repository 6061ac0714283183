import { daySeconds } from "../../shared/time/seconds.ts";
import { hash53 } from "../columns/hash.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { type HistoryRules, isWithinDays } from "./hidden-products.ts";
import { buysAgain, RepeatHabits } from "./repeat-habits.ts";

/**
 * Returns the factors on the scores of `candidates`, by index; a candidate without an entry keeps its score. With the
 * rule `fade`, the factor of a purchased product grows from 0 at the purchase to 1 after `purchasedDays`. With the rule
 * `auto`, a product keeps its score if the user buys it again and again, or if users buy the same product again in its
 * category, by the counts of the candidates. `now` is in seconds since the epoch.
 */
export function purchasedFactors(
  { purchased }: Pick<ReadonlyProfile, "purchased">,
  candidates: readonly BlockRow[],
  now: number,
  { purchased: rule, purchasedDays }: HistoryRules,
): Map<number, number> {
  const factors = new Map<number, number>();
  if (rule !== "fade" && rule !== "auto") return factors;
  const fading = new Map<number, string>();
  for (const [id, product] of purchased)
    if (isWithinDays(product.last, now, purchasedDays) && !(rule === "auto" && buysAgain(product)))
      fading.set(hash53(id), id);
  if (fading.size === 0) return factors;
  let habits: RepeatHabits | null = null;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row } = candidates[i];
    const id = fading.get(block.idHash[row]);
    if (id === undefined || block.id(row) !== id) continue;
    if (rule === "auto") {
      habits ??= habitsOf(candidates);
      if (habits.isRepeated(block.strings[block.category[row]] ?? "")) continue;
    }
    const elapsed = now - (purchased.get(id)?.last ?? now);
    factors.set(i, Math.max(0, elapsed) / (purchasedDays * daySeconds));
  }
  return factors;
}

function habitsOf(candidates: readonly BlockRow[]): RepeatHabits {
  const habits = new RepeatHabits();
  for (const { block, row } of candidates) habits.add(block, row);
  return habits;
}
