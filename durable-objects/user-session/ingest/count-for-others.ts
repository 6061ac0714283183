import { hash53 } from "../../../model/columns/hash.ts";
import { choicesBefore } from "../../../model/profile/apply-interaction.ts";
import { behaviorOf } from "../../../model/profile/behavior.ts";
import { mayCount, timesCountedOf } from "../../../model/profile/counted-choices.ts";
import { isKnownTransition } from "../../../model/profile/counted-transitions.ts";
import type { UserProfile } from "../../../model/profile/profile.ts";
import type { AcceptedInteraction, Interaction } from "../../../shared/contracts/event.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import type { CountingSettings } from "../../../shared/counting/counting-settings.ts";
import { userWeight } from "../../../shared/counting/user-weight.ts";
import { type CountedEvent, notCounted } from "../store/counted-event.ts";

/** Who sends events, and by which settings they count for others. */
export interface Counting {
  requester: Requester;
  /** The user's pseudonym. */
  pseudonym: string;
  settings: CountingSettings;
}

const drawModulus = 1_000_003;

/**
 * Returns the draw of a user for a subject, 0 to 1: whoever nobody vouches for counts where their draw is below their
 * weight. It is a hash, so that repeated events draw no second time, and a user who counts goes on counting.
 */
export const drawOf = (pseudonym: string, subject: string): number =>
  (hash53(JSON.stringify(["draw", pseudonym, subject])) % drawModulus) / drawModulus;

/**
 * Returns whether an event counts in the lists of others. A user whom nobody vouches for counts with the probability of
 * their weight, for all events of a product or for none. Their dismissals never count, and a dismissal of other users
 * counts once. Refunds never count.
 */
function countsForOthers(
  profile: UserProfile,
  { type, productId, time }: Interaction,
  { requester, pseudonym, settings }: Counting,
  now: number,
): boolean {
  if (type === "refund") return false;
  if (type === "dismiss") return requester.isVouched && !profile.dismissed.has(productId);
  if (!mayCount(profile.products.get(productId)?.counted, type, time, settings)) return false;
  return (
    requester.isVouched ||
    drawOf(pseudonym, productId) < userWeight(behaviorOf(profile, productId, now), settings)
  );
}

/** Returns how an event counts for others. `now` is in seconds since the epoch. */
export function countedEvent(
  profile: UserProfile,
  event: Interaction,
  counting: Counting,
  now: number,
): CountedEvent {
  const counts = countsForOthers(profile, event, counting, now);
  if (!counts) return notCounted;
  const { productId: to, time, type } = event;
  const stats = profile.products.get(to);
  const isChoice = type !== "dismiss";
  const bought = stats ? timesCountedOf(stats.counted, "purchase") > 0 : profile.purchased.has(to);
  const before = isChoice ? sourcesOf(profile, event) : [];
  return {
    counts,
    first: isChoice && stats?.counted === undefined,
    firstPurchase: type === "purchase" && !bought,
    gaps: before.flatMap(({ productId: from }, i) => {
      const gap = before.length - i;
      const counted = from !== to && profile.products.get(from)?.counted !== undefined;
      const { againDays } = counting.settings;
      return counted && !isKnownTransition(profile, { from, to, gap }, time, againDays) ? [gap] : [];
    }),
  };
}

/** Returns the choices from which transitions lead to an event's product, oldest first. */
const sourcesOf = (profile: UserProfile, event: Interaction) =>
  choicesBefore(profile, event.time).filter(
    ({ productId, time }) => productId !== event.productId || time !== event.time,
  );

/** Returns the choices before an event, each with whether it counts as a transition to the event's product. */
export function previousOf(
  profile: UserProfile,
  event: Interaction,
  { counts, gaps }: CountedEvent,
): AcceptedInteraction["previous"] {
  if (!counts || event.type === "dismiss") return [];
  const before = sourcesOf(profile, event);
  return before.map(({ productId, cell }, i) => ({
    productId,
    cell,
    counts: gaps.includes(before.length - i),
  }));
}

/** Returns the key under which users of a network count together; null for an event that counts by itself or not. */
export const networkKeyOf = (
  { productId, type }: Interaction,
  { requester }: Counting,
  counts: boolean,
): number | null =>
  counts && !requester.isVouched && requester.network !== null
    ? hash53(JSON.stringify([requester.network, productId, type]))
    : null;
