import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { inMemoryCandidates } from "../candidate-sources/candidate-store.ts";
import type { CandidateStore } from "../candidate-sources/source.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { CandidateService } from "../pipeline/ports.ts";
import { applyInteraction } from "../profile/apply.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import { episodeSeconds } from "../replay/episode.ts";
import { interactionOf, offsetOf, worldAfter } from "../replay/world.ts";
import type { Random } from "./random.ts";

/** Which episodes are looked at. */
export interface EpisodeOptions {
  /** Share of the events, in time, that only builds up state. */
  warmUp: number;
  /** Parts of the rest: each sees the world as it was when the part began. */
  parts: number;
  /** About so many episodes, a random sample of all. */
  most: number;
  random: Random;
  onProgress?(done: number, total: number): void;
  /** Called now and then: whoever shares the thread may run. */
  pause?(): Promise<void>;
}

/** The first event of an episode, as it is asked about: what was known just before it. */
export interface Episode {
  event: DatasetEvent;
  /** Whether the episode holds a purchase. */
  bought: boolean;
  /** Valid until the next episode is asked for. */
  profile: UserProfile;
  /** Where they say that they are; else where they were last. */
  point: Point | null;
  /** The world as it was when the episode's part began. */
  places: CandidateService & CandidateStore;
}

/** Episodes of a dataset in the order of time, each before it is known; the sample is drawn with `random`. */
export async function* episodesOf(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: EpisodeOptions,
): AsyncGenerator<Episode> {
  const ordered = [...events].sort((a, b) => a.time - b.time);
  const start = Math.floor(ordered.length * options.warmUp);
  const begins = beginningsIn(ordered);
  const tells = tellWhereTheyAre(dataset, ordered) ? saidShare : 0;
  const share = options.most / Math.max(1, begins.slice(start).filter(Boolean).length);
  const people = new Map<string, UserProfile>();
  const bought = purchasesIn(ordered);
  let partEnd = start;
  let places = inMemoryCandidates(worldAfter(dataset, [], 0), () => 0);
  for (const [i, event] of ordered.entries()) {
    if (i === partEnd) {
      places = inMemoryCandidates(worldAfter(dataset, ordered.slice(0, i), event.time), () => event.time);
      partEnd += Math.ceil((ordered.length - start) / options.parts);
    }
    const profile = people.get(event.userId) ?? emptyProfile();
    people.set(event.userId, profile);
    const interaction = interactionOf(event, dataset.items, i);
    if (i >= start && begins[i] && options.random.next() < share) {
      const said = event.lat !== null && event.lon !== null && options.random.next() < tells;
      const point = said ? { lat: event.lat as number, lon: event.lon as number } : profile.location;
      yield { event, bought: bought[i], profile, point, places };
    }
    applyInteraction(profile, interaction, offsetOf(interaction));
    if (i % 256 === 0) {
      options.onProgress?.(i, ordered.length);
      await options.pause?.();
    }
  }
}

/** Share of the episodes that are asked about with the person's own place, where events tell it: most requests do. */
const saidShare = 0.75;
/** An event farther than this from its product, in km, happened elsewhere. */
const elsewhereKm = 0.05;

/**
 * Whether events tell where people were, rather than where what they chose is: a request tells the one and must not know
 * the other. So it is where most events happened elsewhere than at their product.
 */
export function tellWhereTheyAre(
  { items }: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
): boolean {
  let told = 0;
  let elsewhere = 0;
  for (const { itemId, lat, lon } of events) {
    const item = items.get(itemId);
    if (lat === null || lon === null || !item || item.lat === null || item.lon === null) continue;
    told++;
    if (distanceKm(lat, lon, item.lat, item.lon) > elsewhereKm) elsewhere++;
  }
  return told > 0 && elsewhere > told / 2;
}

/** For each event: whether an episode begins with it, see {@link beginsEpisode}. */
function beginningsIn(ordered: readonly DatasetEvent[]): boolean[] {
  const last = new Map<string, DatasetEvent>();
  return ordered.map((event) => {
    const before = last.get(event.userId);
    last.set(event.userId, event);
    if (event.type === "dismiss") return false;
    return !before || before.itemId !== event.itemId || event.time - before.time > episodeSeconds;
  });
}

/** For each event: whether its episode holds a purchase. */
function purchasesIn(ordered: readonly DatasetEvent[]): boolean[] {
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
