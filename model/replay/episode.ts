import type { DatasetEvent } from "../data/dataset.ts";
import type { UserProfile } from "../profile/profile.ts";

/**
 * Interactions with one product at most this many seconds apart are one episode: a view, its click and its purchase.
 */
export const episodeSeconds = 1800;

/** Returns whether an event starts an episode: the user's last interaction was with another product, or long ago. */
export function startsEpisode(profile: UserProfile, event: DatasetEvent): boolean {
  const last = profile.recent.at(-1);
  return !last || last.productId !== event.itemId || event.time - last.time > episodeSeconds;
}

/**
 * Returns whether all events have one type. Then no event can be a later step of an episode: each is a choice of its own,
 * also one of the product chosen last.
 */
export const hasOneEventType = (events: readonly Pick<DatasetEvent, "type">[]): boolean =>
  events.every(({ type }) => type === events[0].type);
