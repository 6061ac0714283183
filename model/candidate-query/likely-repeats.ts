import type { ProductRef } from "../../shared/contracts/retrieval.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { lastChoicesOf } from "./last-choices.ts";

/** Products requested, at most: users rarely return to the others, which are older and less frequent. */
const maxRepeats = 256;

/**
 * Returns the user's last choices, followed by the products that they are most likely to choose again, by log frequency
 * and recency, with their cells.
 */
export function likelyRepeats(profile: ReadonlyProfile, now: number): ProductRef[] {
  const last = new Set(lastChoicesOf(profile));
  const repeats = [...profile.products]
    .filter(([, stats]) => stats.cell !== null && stats.choices > 0)
    .map(([productId, stats]) => ({
      productId,
      cell: stats.cell ?? "",
      value: last.has(productId)
        ? Number.POSITIVE_INFINITY
        : Math.log1p(stats.choices) - Math.log1p(Math.max(0, now - stats.last) / daySeconds),
    }));
  return repeats
    .sort((a, b) => (a.value === b.value ? 0 : b.value - a.value))
    .slice(0, maxRepeats)
    .map(({ productId, cell }) => ({ productId, cell }));
}
