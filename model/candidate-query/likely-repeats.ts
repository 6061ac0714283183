import type { ProductRef } from "../../shared/contracts/retrieval.ts";
import type { UserProfile } from "../profile/profile.ts";
import { lastChoicesOf } from "./last-choices.ts";

/** Products asked for: the rest of what is remembered is too old and too rare to come back. */
const maxRepeats = 256;

/**
 * The last choices, then the products that the person is most likely to come back to, by log frequency and recency, with
 * their cells.
 */
export function likelyRepeats(profile: UserProfile, now: number): ProductRef[] {
  const last = new Set(lastChoicesOf(profile));
  const worth = [...profile.products]
    .filter(([, memory]) => memory.cell !== null && memory.choices > 0)
    .map(([productId, memory]) => ({
      productId,
      cell: memory.cell ?? "",
      worth: last.has(productId)
        ? Number.POSITIVE_INFINITY
        : Math.log1p(memory.choices) - Math.log1p(Math.max(0, now - memory.last) / 86_400),
    }));
  return worth
    .sort((a, b) => (a.worth === b.worth ? 0 : b.worth - a.worth))
    .slice(0, maxRepeats)
    .map(({ productId, cell }) => ({ productId, cell }));
}
