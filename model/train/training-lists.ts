import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import { hasProductId } from "../columns/product-identity.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { TrainingList } from "../features/batch.ts";
import { type Candidate, computeFeatures } from "../features/compute-features.ts";
import { rankingContext } from "../features/ranking-context.ts";
import { fetchCandidates } from "../pipeline/fetch-candidates.ts";
import { maxCandidates } from "../pipeline/run-pipeline.ts";
import { type Episode, type EpisodeOptions, replayEpisodes } from "./episodes.ts";
import type { Random } from "./random.ts";

/** How to build training lists. */
export interface TrainingListOptions extends EpisodeOptions {
  /** Number of sampled candidates per list, besides the chosen one. */
  negatives: number;
  firstStage: FirstStage;
}

/**
 * Builds training lists from events in time order. The candidates of a list are those that the pipeline finds for the
 * user just before an episode's first event, with counts of earlier periods only. Episodes whose product is not among
 * the candidates are left out, since they teach the ranker nothing.
 */
export async function trainingLists(
  dataset: Pick<Dataset, "items">,
  events: readonly DatasetEvent[],
  options: TrainingListOptions,
): Promise<TrainingList[]> {
  const lists: TrainingList[] = [];
  for await (const episode of replayEpisodes(dataset, events, options)) {
    const list = await buildTrainingList(episode, options);
    if (list) lists.push(list);
  }
  return lists;
}

/**
 * Weight of a list whose product is new to the user, relative to a list whose product is not. New products are rarer
 * and harder to predict, and people use recommendations to find them.
 */
const discoveryWeight = 1.2;

async function buildTrainingList(
  { event, holdsPurchase, profile, point, candidateStore }: Episode,
  { negatives, random, firstStage }: TrainingListOptions,
): Promise<TrainingList | null> {
  const now = event.time;
  const offset = utcOffsetAt(point?.lat ?? null, point?.lon ?? null, now);
  const hour = localHourOf(now + offset);
  const query = { profile, point, now, hour, filter: {}, limit: maxCandidates, firstStage };
  const { candidates, blocks } = await fetchCandidates(query, candidateStore);
  const chosen = candidates.find(({ block, row }) => hasProductId(block, row, event.itemId));
  if (!chosen) return null;
  const sample = sampleNegatives(candidates, chosen, negatives, random);
  const context = rankingContext(profile, now, offset, point, blocks, candidates);
  const batch = computeFeatures(context, [chosen, ...sample.map(({ candidate }) => candidate)]);
  const engage = new Float32Array(batch.count);
  engage[0] = 1;
  const purchase = new Float32Array(batch.count);
  if (holdsPurchase) purchase[0] = 1;
  const candidatesRepresented = Float32Array.from([1, ...sample.map((each) => each.represented)]);
  const weight = profile.products.has(event.itemId) ? 1 : discoveryWeight;
  return { batch, engage, purchase, candidatesRepresented, weight };
}

/**
 * Samples `count` candidates that were not chosen: half from the user's own sources, which are hard to tell apart from
 * the chosen one, and half from the rest. Each sampled candidate represents the size of its half divided by the number
 * drawn.
 */
function sampleNegatives(
  candidates: readonly Candidate[],
  chosen: Candidate,
  count: number,
  random: Random,
): { candidate: Candidate; represented: number }[] {
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
      .map((candidate) => ({ candidate, represented: from.length / drawn }));
  return [...draw(own, ownDrawn), ...draw(rest, Math.min(rest.length, count - ownDrawn))];
}
