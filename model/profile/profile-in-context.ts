import { eventTypes } from "../../shared/contracts/event.ts";
import { type ProductStats, profileLimits, type ReadonlyProfile, type RecentEvent } from "./profile.ts";

/** A product that a user looks at now. */
export type ContextProduct = Pick<
  RecentEvent,
  "productId" | "category" | "cell" | "lat" | "lon" | "priceMinor" | "currency"
>;

/**
 * Returns a profile as if the user had clicked products just now, the last one last: they are the newest choices, from
 * which candidates and features follow. Statistics of categories, places and prices stay. The given profile is not
 * changed. `now` is in seconds since the epoch; `offsetSeconds` is how far local time is ahead of UTC.
 */
export function profileInContext(
  profile: ReadonlyProfile,
  context: readonly ContextProduct[],
  now: number,
  offsetSeconds: number,
): ReadonlyProfile {
  if (context.length === 0) return profile;
  const products = new Map(profile.products);
  const recent = [...profile.recent];
  for (const each of context) {
    recent.push({
      ...each,
      type: "click",
      time: now,
      localTime: now + offsetSeconds,
      recommendationId: null,
    });
    const { cell, category, lat, lon } = each;
    const known = products.get(each.productId);
    products.set(each.productId, known ? { ...known, cell } : clickedOnce({ cell, category, lat, lon }, now));
  }
  return { ...profile, products, recent: recent.slice(-profileLimits.recent) };
}

/** Returns the statistics of a product that was clicked once. */
const clickedOnce = (
  place: Pick<ProductStats, "cell" | "category" | "lat" | "lon">,
  now: number,
): ProductStats => ({
  ...place,
  counts: eventTypes.map((type) => (type === "click" ? 1 : 0)),
  ...{ choices: 1, first: now, last: now, lastDeliberate: now, times: [], transitions: 0 },
});
