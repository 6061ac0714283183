import type { DatasetEvent } from "../data/dataset.ts";
import type { UserProfile } from "../profile/profile.ts";

/** Interactions with one product within so many seconds are one episode: a view, its click and its purchase. */
export const episodeSeconds = 1800;

/** Whether an event begins an episode of its person: not one more with the product at hand. */
export function beginsEpisode(profile: UserProfile, event: DatasetEvent): boolean {
  const last = profile.recent.at(-1);
  return !last || last.productId !== event.itemId || event.time - last.time > episodeSeconds;
}
