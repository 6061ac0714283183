import { daySeconds } from "../../shared/time/seconds.ts";
import { productPairKey, type UserProfile } from "./profile.ts";

/**
 * Returns whether a user is known to have chosen `to` as choice number `gap` after `from`, at most `days` before `time`
 * (seconds since the epoch): such a transition counts no second time. The profile knows direct transitions (`gap` 1) by
 * pair, and others among the newest choices.
 */
export function isKnownTransition(
  { recent, transitions }: Pick<UserProfile, "recent" | "transitions">,
  { from, to, gap }: { from: string; to: string; gap: number },
  time: number,
  days: number,
): boolean {
  const since = time - days * daySeconds;
  if (gap === 1 && (transitions.get(productPairKey(from, to))?.last ?? Number.NEGATIVE_INFINITY) > since)
    return true;
  return recent.some(
    (each, i) => each.productId === to && each.time > since && recent[i - gap]?.productId === from,
  );
}
