import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { localOffset } from "../../shared/geo/local-time.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { TrainingList } from "../features/batch.ts";
import { type Candidate, computeFeatures } from "../features/compute.ts";
import { rankingContext } from "../features/context.ts";
import { gather } from "../pipeline/gather-candidates.ts";
import { maxCandidates } from "../pipeline/recommend.ts";
import { hourOf } from "../profile/profile.ts";
import { type Episode, type EpisodeOptions, episodesOf } from "./episodes.ts";
import type { Random } from "./random.ts";

/** How examples are made. */
export interface ExampleOptions extends EpisodeOptions {
  /** Candidates of a list beside the chosen one. */
  negatives: number;
  firstStage: FirstStage;
}

/**
 * Training lists from events in time order: at each episode's first event the pipeline's candidates for the person as
 * they were just before, in a world that holds only events of earlier parts. Episodes whose product the sources do not
 * find teach the ranker nothing and are left out.
 */
export async function trainingLists(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: ExampleOptions,
): Promise<TrainingList[]> {
  const lists: TrainingList[] = [];
  for await (const episode of episodesOf(dataset, events, options)) {
    const list = await listOf(episode, options);
    if (list) lists.push(list);
  }
  return lists;
}

/**
 * Weight of a list whose product is new to the person, against one that they came back to: discoveries are fewer and harder,
 * and what people ask a recommendation for.
 */
const discoveryWeight = 1.2;

async function listOf(
  { event, bought, profile: person, point, places }: Episode,
  { negatives, random, firstStage }: ExampleOptions,
): Promise<TrainingList | null> {
  const now = event.time;
  const offset = localOffset(point?.lat ?? null, point?.lon ?? null, now);
  const hour = hourOf(now + offset);
  const query = { profile: person, point, now, hour, filter: {}, limit: maxCandidates, firstStage };
  const { candidates, blocks } = await gather(query, places);
  const target = hash53(event.itemId);
  const chosen = candidates.find(({ block, row }) => block.idHash[row] === target);
  if (!chosen) return null;
  const sample = sampleNegatives(candidates, chosen, negatives, random);
  const context = rankingContext(person, now, offset, point, blocks, candidates);
  const batch = computeFeatures(context, [chosen, ...sample.map(({ candidate }) => candidate)]);
  const engage = new Float32Array(batch.count);
  engage[0] = 1;
  const purchase = new Float32Array(batch.count);
  if (bought) purchase[0] = 1;
  const standsFor = Float32Array.from([1, ...sample.map((each) => each.standsFor)]);
  const weight = person.products.has(event.itemId) ? 1 : discoveryWeight;
  return { batch, engage, purchase, standsFor, weight };
}

/**
 * Half of what the person's own sources brought, half of the rest: the first are what is hard to tell apart. Each stands
 * for as many candidates as its half has for each one drawn.
 */
function sampleNegatives(
  candidates: readonly Candidate[],
  chosen: Candidate,
  count: number,
  random: Random,
): { candidate: Candidate; standsFor: number }[] {
  const own: Candidate[] = [];
  const rest: Candidate[] = [];
  for (const each of candidates)
    if (each !== chosen) (each.trace.near === 0 || each.trace.sources > 1 ? own : rest).push(each);
  const half = Math.ceil(count / 2);
  const ownDrawn = Math.min(own.length, Math.max(half, count - rest.length));
  const draw = (from: Candidate[], drawn: number) =>
    random
      .shuffle(from)
      .slice(0, drawn)
      .map((candidate) => ({ candidate, standsFor: from.length / drawn }));
  return [...draw(own, ownDrawn), ...draw(rest, Math.min(rest.length, count - ownDrawn))];
}
