import { eventTypes } from "../../shared/contracts/event.ts";
import type { IntentRule, PurchasedRule, ShownRule } from "../../shared/contracts/recommendation.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";

/** Rules for what a user did before: for products that they dismissed, purchased or saw, and for what they choose now. */
export interface HistoryRules {
  /** Days for which a dismissed product is hidden; 0 hides none. */
  dismissedDays: number;
  /** What happens to purchased products. */
  purchased: PurchasedRule;
  /** Days for which a purchased product is hidden or faded; 0 does neither. */
  purchasedDays: number;
  /** What happens to products that lists showed and the user did not choose; absent keeps them. */
  shown?: ShownRule;
  /** What happens to the category that the user chooses now and seldom else; absent ignores it. */
  intent?: IntentRule;
  /** Hides products that the user viewed so many times and chose last less than so many days ago; absent hides none. */
  viewed?: { times: number; days: number };
}

/** Products that are hidden because they were viewed, at most: the last ones. */
const maxHiddenViewed = 500;

/** The rules of a deployment without settings of its own. */
export const defaultHistoryRules: HistoryRules = {
  dismissedDays: 90,
  purchased: "auto",
  purchasedDays: 30,
  shown: "fade",
  intent: "follow",
};

const viewIndex = eventTypes.indexOf("view");

/** Returns whether `time` is less than `days` before `now`, both in seconds; never for 0 days. */
export const isWithinDays = (time: number, now: number, days: number): boolean =>
  days > 0 && now - time < days * daySeconds;

/**
 * Returns the ids of the products that the lists of a user must not contain at `now` (seconds since the epoch):
 * - dismissed products, for `dismissedDays`. A click, cart or purchase after the newest dismissal ends the hiding;
 * - purchased products, for `purchasedDays`, if the rule is `hide`;
 * - products that were viewed often, by the rule `viewed`.
 */
export function hiddenProducts(
  { dismissed, purchased, products }: Pick<ReadonlyProfile, "dismissed" | "purchased" | "products">,
  now: number,
  rules: HistoryRules,
): Set<string> {
  const hidden = new Set<string>();
  for (const [id, { last, lastDeliberate }] of dismissed)
    if (isWithinDays(last, now, rules.dismissedDays) && (lastDeliberate === null || lastDeliberate <= last))
      hidden.add(id);
  if (rules.purchased === "hide")
    for (const [id, { last }] of purchased) if (isWithinDays(last, now, rules.purchasedDays)) hidden.add(id);
  if (rules.viewed) {
    const { times, days } = rules.viewed;
    const viewed = [...products].filter(
      ([, { counts, last }]) => counts[viewIndex] >= times && isWithinDays(last, now, days),
    );
    viewed.sort(([, a], [, b]) => b.last - a.last);
    for (const [id] of viewed.slice(0, maxHiddenViewed)) hidden.add(id);
  }
  return hidden;
}
