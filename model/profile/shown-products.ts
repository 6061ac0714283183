import { daySeconds, minuteSeconds } from "../../shared/time/seconds.ts";
import { profileLimits, type ShownProduct, type UserProfile } from "./profile.ts";

/** Positions of a page that its user probably saw. A page that was asked for was scrolled to. */
export const seenPositions = 10;
/**
 * Seconds in which showings of a product are one look: as long as the click window, within which the user may still act
 * on the first of them. A look tells nothing before they are over.
 */
export const lookSeconds = 30 * minuteSeconds;
/** Half-life in days of what a look without a choice tells. */
export const lookHalfLifeDays = 14;

/** Looks are kept in hundredths, so that a stored number has few bytes and stays the same. */
const roundToHundredths = (looks: number): number => Math.round(looks * 100) / 100;

/** Returns the looks at a product, decayed from the last one to `time`, in seconds since the epoch. */
const decayedLooks = ({ looks, last }: Readonly<ShownProduct>, time: number): number =>
  looks * 2 ** (-Math.max(0, time - last) / daySeconds / lookHalfLifeDays);

/**
 * Returns the looks at a product without a choice as of `now` (seconds since the epoch), decayed. A look that is not over
 * does not count yet, so that a list asked again within a look is the same.
 */
export const looksAt = (shown: Readonly<ShownProduct>, now: number): number =>
  Math.max(0, decayedLooks(shown, now) - (now - shown.last < lookSeconds ? 1 : 0));

/**
 * Notes in a profile, in place, that a page of a list showed products at `time` (seconds since the epoch), in their order.
 * The first {@link seenPositions} count as seen. A product that the user chose or dismissed since then does not count.
 */
export function noteShown(profile: UserProfile, productIds: readonly string[], time: number): void {
  const { shown } = profile;
  profile.shownUntil = Math.max(profile.shownUntil, time);
  for (const id of productIds.slice(0, seenPositions)) {
    const decided = Math.max(profile.products.get(id)?.last ?? 0, profile.dismissed.get(id)?.last ?? 0);
    if (decided >= time) continue;
    const before = shown.get(id);
    // A list of the same look, or one that arrives late.
    if (before && time - before.last < lookSeconds) continue;
    // The newest are the last of the map.
    shown.delete(id);
    const looks = before ? roundToHundredths(decayedLooks(before, time) + 1) : 1;
    shown.set(id, { looks, last: Math.floor(time) });
  }
  for (const id of shown.keys()) {
    if (shown.size <= profileLimits.shown) break;
    shown.delete(id);
  }
}

/** Forgets in a profile, in place, the looks at a product that the user chose or dismissed at `time`. */
export function forgetShown({ shown }: UserProfile, productId: string, time: number): void {
  const before = shown.get(productId);
  if (before && before.last <= time) shown.delete(productId);
}

/** Returns the looks at the products of two profiles of one user, in the order of their last looks; the newest of them. */
export function mergeShown(
  into: Pick<UserProfile, "shown" | "products" | "dismissed">,
  from: Pick<UserProfile, "shown" | "products" | "dismissed">,
): UserProfile["shown"] {
  const merged = new Map<string, ShownProduct>();
  for (const { shown } of [into, from])
    for (const [id, each] of shown) {
      const known = merged.get(id);
      const last = Math.max(each.last, known?.last ?? 0);
      const looks = known
        ? roundToHundredths(decayedLooks(known, last) + decayedLooks(each, last))
        : each.looks;
      merged.set(id, { looks, last });
    }
  for (const { products, dismissed } of [into, from])
    for (const [id, { last }] of merged)
      if (Math.max(products.get(id)?.last ?? 0, dismissed.get(id)?.last ?? 0) >= last) merged.delete(id);
  const newest = [...merged].sort(([, a], [, b]) => a.last - b.last).slice(-profileLimits.shown);
  return new Map(newest);
}
