import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { CandidateStore } from "../candidate-sources/candidate-store.ts";
import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { CandidateService } from "../pipeline/ports.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import { episodeSeconds, hasOneEventType } from "../replay/episode.ts";
import { interactionOffset, toInteraction } from "../replay/interaction.ts";
import { type CountingRules, tilePyramidAfter } from "../replay/tile-pyramid.ts";
import type { Random } from "./random.ts";

/** Which episodes to replay. */
export interface EpisodeOptions {
  /** Share (0 to 1) of the events, oldest first, that only builds up state and yields no episode. */
  warmUp: number;
  /** Number of periods of the remaining events; each period sees the catalog and counts as of its start. */
  periods: number;
  /** Expected number of episodes, sampled at random from all. */
  sampleSize: number;
  random: Random;
  /** How users count for others, in the counts that each period sees. */
  counting?: CountingRules;
  onProgress?(done: number, total: number): void;
  /** Called every {@link eventsPerPause} events, so that other work on the thread can run. */
  pause?(): Promise<void>;
}

/** Events between two calls of `onProgress` and `pause`. */
const eventsPerPause = 256;

/** The first event of an episode, with the state just before the event. */
export interface Episode {
  event: DatasetEvent;
  /** True if the episode holds a purchase. */
  holdsPurchase: boolean;
  /** The user's profile before the event; the next iteration changes it. */
  profile: UserProfile;
  /** The location that a request would state; otherwise the user's last location. */
  point: Point | null;
  /** Answers candidate queries as of the start of the episode's period. */
  candidateStore: CandidateService & CandidateStore;
}

/** Yields a random sample of a dataset's episodes in time order, each before its event changes any state. */
export async function* replayEpisodes(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: EpisodeOptions,
): AsyncGenerator<Episode> {
  const ordered = [...events].sort((a, b) => a.time - b.time);
  const start = Math.floor(ordered.length * options.warmUp);
  const isEpisodeStart = episodeStarts(ordered);
  const statedShare = hasUserLocations(dataset, ordered) ? statedLocationShare : 0;
  const sampleShare = options.sampleSize / Math.max(1, isEpisodeStart.slice(start).filter(Boolean).length);
  const profiles = new Map<string, UserProfile>();
  const holdsPurchase = episodePurchases(ordered);
  let periodEnd = start;
  let candidateStore = inProcessCandidates(tilePyramidAfter(dataset, [], 0), () => 0);
  for (const [i, event] of ordered.entries()) {
    if (i === periodEnd) {
      candidateStore = inProcessCandidates(
        tilePyramidAfter(dataset, ordered.slice(0, i), event.time, options.counting),
        () => event.time,
      );
      periodEnd += Math.ceil((ordered.length - start) / options.periods);
    }
    const profile = profiles.get(event.userId) ?? emptyProfile();
    profiles.set(event.userId, profile);
    const interaction = toInteraction(event, dataset.items, i);
    if (i >= start && isEpisodeStart[i] && options.random.next() < sampleShare) {
      const stated = event.lat !== null && event.lon !== null && options.random.next() < statedShare;
      const point = stated ? { lat: event.lat as number, lon: event.lon as number } : profile.location;
      yield { event, holdsPurchase: holdsPurchase[i], profile, point, candidateStore };
    }
    applyInteraction(profile, interaction, interactionOffset(interaction));
    if (i % eventsPerPause === 0) {
      options.onProgress?.(i, ordered.length);
      await options.pause?.();
    }
  }
}

/** Share of the episodes that state the user's location, if events carry it. Most requests state a location. */
const statedLocationShare = 0.75;
/** Largest distance in kilometers between an event and its product that still counts as the product's location. */
const maxKmAtProduct = 0.05;

/**
 * Returns whether event locations are those of the users rather than of the products. If they are the products', a
 * training request must not state them: they would reveal the product. The locations count as the users' if most events
 * happened away from their product.
 */
export function hasUserLocations(
  { items }: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
): boolean {
  let located = 0;
  let elsewhere = 0;
  for (const { itemId, lat, lon } of events) {
    const item = items.get(itemId);
    if (lat === null || lon === null || !item || item.lat === null || item.lon === null) continue;
    located++;
    if (distanceKm(lat, lon, item.lat, item.lon) > maxKmAtProduct) elsewhere++;
  }
  return located > 0 && elsewhere > located / 2;
}

/** Returns for each event whether an episode begins with it, by the rules of `replay/episode.ts`. */
function episodeStarts(ordered: readonly DatasetEvent[]): boolean[] {
  if (hasOneEventType(ordered)) return ordered.map(({ type }) => type !== "dismiss");
  const last = new Map<string, DatasetEvent>();
  return ordered.map((event) => {
    const before = last.get(event.userId);
    last.set(event.userId, event);
    if (event.type === "dismiss") return false;
    return !before || before.itemId !== event.itemId || event.time - before.time > episodeSeconds;
  });
}

/** Returns for each event whether its episode holds a purchase at this event or later. */
function episodePurchases(ordered: readonly DatasetEvent[]): boolean[] {
  const bought = new Array<boolean>(ordered.length).fill(false);
  const open = new Map<string, { itemId: string; time: number; bought: boolean }>();
  for (let i = ordered.length - 1; i >= 0; i--) {
    const { userId, itemId, type, time } = ordered[i];
    const next = open.get(userId);
    const same = next && next.itemId === itemId && next.time - time <= episodeSeconds;
    bought[i] = type === "purchase" || (same === true && next.bought);
    open.set(userId, { itemId, time, bought: bought[i] });
  }
  return bought;
}
