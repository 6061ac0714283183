import { localOffset } from "../../workers/shared/geo/local-time.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { TrainingList } from "../features/batch.ts";
import { type Candidate, computeFeatures } from "../features/compute.ts";
import { rankingContext } from "../features/context.ts";
import { applyInteraction } from "../person/apply.ts";
import { newPerson, type Person } from "../person/person.ts";
import { gather } from "../pipeline/gather.ts";
import { maxCandidates } from "../pipeline/recommend.ts";
import { beginsEpisode, episodeSeconds } from "../replay/episode.ts";
import { interactionOf, offsetOf, worldAfter } from "../replay/world.ts";
import { placesOver } from "../retrieval/memory.ts";
import type { Random } from "./random.ts";

/** How examples are made. */
export interface ExampleOptions {
  /** Share of the events, in time, that only builds up state. */
  warmUp: number;
  /** Parts of the rest: each sees the world as it was when the part began. */
  parts: number;
  /** Most lists; beyond, they are a random sample. */
  most: number;
  /** Candidates of a list beside the chosen one. */
  negatives: number;
  random: Random;
  onProgress(done: number, total: number): void;
  /** Called now and then: whoever shares the thread may run. */
  pause?(): Promise<void>;
}

/**
 * Training lists from events in time order: at each episode's first event the pipeline's candidates for the person as
 * they were just before, in a world that holds only events of earlier parts. Episodes whose product the sources do not
 * find teach the ranker nothing and are left out.
 */
export async function trainingLists(
  dataset: Dataset,
  events: readonly DatasetEvent[],
  options: ExampleOptions,
): Promise<TrainingList[]> {
  const { random } = options;
  const ordered = [...events].sort((a, b) => a.time - b.time);
  const start = Math.floor(ordered.length * options.warmUp);
  const share = Math.min(1, options.most / Math.max(1, ordered.length - start));
  const people = new Map<string, Person>();
  const bought = purchasesAfter(ordered);
  const lists: TrainingList[] = [];
  let partEnd = start;
  let places = placesOver(worldAfter(dataset, [], 0), () => 0);
  for (let i = 0; i < ordered.length; i++) {
    const event = ordered[i];
    if (i === partEnd) {
      const worldTime = ordered[i].time;
      places = placesOver(worldAfter(dataset, ordered.slice(0, i), worldTime), () => worldTime);
      partEnd += Math.ceil((ordered.length - start) / options.parts);
    }
    const person = people.get(event.userId) ?? newPerson();
    people.set(event.userId, person);
    const interaction = interactionOf(event, dataset.items, i);
    if (i >= start && event.type !== "dismiss" && beginsEpisode(person, event) && random.next() < share) {
      const list = await listOf(person, event, bought[i], places, options);
      if (list) lists.push(list);
    }
    applyInteraction(person, interaction, offsetOf(interaction));
    if (i % 256 === 0) {
      options.onProgress(i, ordered.length);
      await options.pause?.();
    }
  }
  return lists;
}

/** For each event: whether its episode holds a purchase. */
function purchasesAfter(ordered: readonly DatasetEvent[]): boolean[] {
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

async function listOf(
  person: Person,
  event: DatasetEvent,
  purchase: boolean,
  places: ReturnType<typeof placesOver>,
  { negatives, random }: ExampleOptions,
): Promise<TrainingList | null> {
  const point = person.location;
  const query = { person, point, now: event.time, filter: {}, limit: maxCandidates, places };
  const near = places.candidates({ point, limit: maxCandidates, filter: {}, now: event.time });
  const { candidates, blocks } = await gather(query, near, true);
  const target = hash53(event.itemId);
  const chosen = candidates.find(({ block, row }) => block.idHash[row] === target);
  if (!chosen) return null;
  const sample = sampleNegatives(candidates, chosen, negatives, random);
  const offset = localOffset(point?.lat ?? null, point?.lon ?? null, event.time);
  const context = rankingContext(person, event.time, offset, point, blocks);
  const batch = computeFeatures(context, [chosen, ...sample]);
  const engage = new Float32Array(batch.count);
  engage[0] = 1;
  const bought = new Float32Array(batch.count);
  if (purchase) bought[0] = 1;
  return { batch, engage, purchase: bought, weight: 1 };
}

/** Half of what the person's own sources brought, half of the rest: the first are what is hard to tell apart. */
function sampleNegatives(
  candidates: readonly Candidate[],
  chosen: Candidate,
  count: number,
  random: Random,
): Candidate[] {
  const own: Candidate[] = [];
  const rest: Candidate[] = [];
  for (const each of candidates)
    if (each !== chosen) (each.trace.near === 0 || each.trace.sources > 1 ? own : rest).push(each);
  const half = Math.ceil(count / 2);
  const picked = random.shuffle(own).slice(0, Math.max(half, count - rest.length));
  return [...picked, ...random.shuffle(rest).slice(0, count - picked.length)];
}
