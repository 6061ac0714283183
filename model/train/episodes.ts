import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { applyInteraction } from "../person/apply.ts";
import { newPerson, type Person } from "../person/person.ts";
import type { Places } from "../pipeline/ports.ts";
import { beginsEpisode, episodeSeconds } from "../replay/episode.ts";
import { interactionOf, offsetOf, worldAfter } from "../replay/world.ts";
import { placesOver } from "../retrieval/memory.ts";
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
  person: Person;
  /** The world as it was when the episode's part began. */
  places: Places;
}

/** Episodes of a dataset in the order of time, each before it is known; the sample is drawn with `random`. */
export async function* episodesOf(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: EpisodeOptions,
): AsyncGenerator<Episode> {
  const ordered = [...events].sort((a, b) => a.time - b.time);
  const start = Math.floor(ordered.length * options.warmUp);
  const share = Math.min(1, options.most / Math.max(1, ordered.length - start));
  const people = new Map<string, Person>();
  const bought = purchasesIn(ordered);
  let partEnd = start;
  let places = placesOver(worldAfter(dataset, [], 0), () => 0);
  for (const [i, event] of ordered.entries()) {
    if (i === partEnd) {
      places = placesOver(worldAfter(dataset, ordered.slice(0, i), event.time), () => event.time);
      partEnd += Math.ceil((ordered.length - start) / options.parts);
    }
    const person = people.get(event.userId) ?? newPerson();
    people.set(event.userId, person);
    const interaction = interactionOf(event, dataset.items, i);
    const asked = i >= start && event.type !== "dismiss" && beginsEpisode(person, event);
    if (asked && options.random.next() < share) yield { event, bought: bought[i], person, places };
    applyInteraction(person, interaction, offsetOf(interaction));
    if (i % 256 === 0) {
      options.onProgress?.(i, ordered.length);
      await options.pause?.();
    }
  }
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
