import type { PurchasedRule } from "../../shared/contracts/recommendation.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";

/** Rules for products that a user dismissed or purchased before. */
export interface HistoryRules {
  /** Days for which a dismissed product is hidden; 0 hides none. */
  dismissedDays: number;
  /** What happens to purchased products. */
  purchased: PurchasedRule;
  /** Days for which a purchased product is hidden or faded; 0 does neither. */
  purchasedDays: number;
}

/** The rules of a deployment without settings of its own. */
export const defaultHistoryRules: HistoryRules = {
  dismissedDays: 90,
  purchased: "auto",
  purchasedDays: 30,
};

/** Returns whether `time` is less than `days` before `now`, both in seconds; never for 0 days. */
export const isWithinDays = (time: number, now: number, days: number): boolean =>
  days > 0 && now - time < days * daySeconds;

/**
 * Returns the ids of the products that the lists of a user must not contain at `now` (seconds since the epoch):
 * - dismissed products, for `dismissedDays`. A click, cart or purchase after the newest dismissal ends the hiding;
 * - purchased products, for `purchasedDays`, if the rule is `hide`.
 */
export function hiddenProducts(
  { dismissed, purchased }: Pick<ReadonlyProfile, "dismissed" | "purchased">,
  now: number,
  rules: HistoryRules,
): Set<string> {
  const hidden = new Set<string>();
  for (const [id, { last, lastDeliberate }] of dismissed)
    if (isWithinDays(last, now, rules.dismissedDays) && (lastDeliberate === null || lastDeliberate <= last))
      hidden.add(id);
  if (rules.purchased === "hide")
    for (const [id, { last }] of purchased) if (isWithinDays(last, now, rules.purchasedDays)) hidden.add(id);
  return hidden;
}
