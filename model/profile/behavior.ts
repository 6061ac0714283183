import type { UserBehavior } from "../../shared/counting/user-weight.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { arrivedThisHour } from "./activity.ts";
import type { UserProfile } from "./profile.ts";

/**
 * Returns how a user behaves who chooses `productId` at `now` (seconds since the epoch). A null product is a user who
 * chooses nothing now.
 */
export function behaviorOf(profile: UserProfile, productId: string | null, now: number): UserBehavior {
  const { activity, products } = profile;
  const added = productId === null ? 0 : 1;
  let most = productId === null ? 0 : (products.get(productId)?.choices ?? 0) + added;
  let choices = added;
  for (const each of products.values()) {
    most = Math.max(most, each.choices);
    choices += each.choices;
  }
  const isNewDay = Math.floor(now / daySeconds) > activity.lastDay;
  return {
    ageSeconds: activity.since === null ? 0 : Math.max(0, now - activity.since),
    activeDays: activity.days + (isNewDay ? 1 : 0),
    productShare: choices === 0 ? 1 : most / choices,
    eventsThisHour: arrivedThisHour(activity, now).events + added,
  };
}
