import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { Candidate } from "../features/compute-features.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer } from "../pipeline/run-pipeline.ts";
import { startsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { type Baseline, baselines, rankOf } from "./baselines.ts";
import type { Ranks } from "./metrics.ts";

/** A test event that was asked for, and where each method ranked its product. */
export interface RankedEvent {
  userId: string;
  /** The person dealt with the product before. */
  revisit: boolean;
  /** Choices of the person that were known. */
  priorChoices: number;
  /** Nobody had chosen the product: in training and validation nobody at all, since then not this person. */
  cold: boolean;
  /** By method, over all products. */
  ranks: Record<string, Ranks>;
  /** By method, with what is cold taken out of the candidates: a cold target is missed. */
  ranksWithoutCold: Record<string, Ranks>;
}

/** What was seen while asking. */
export interface TestRanks {
  events: RankedEvent[];
  /** Events whose product was among the first k candidates, by k. */
  eventsRecalledAt: Record<string, number>;
  /** How often the pipeline showed a product among the first ten. */
  timesShown: Map<string, number>;
  /** Milliseconds by stage of the pipeline, over all questions. */
  stageMilliseconds: Record<string, number>;
  requests: number;
}

const recallDepths = [100, 200, 500, 1000] as const;
const maxRecallDepth = 1000;

/**
 * Asks the serving pipeline, once with each ranker (one a seed), and the counting methods for each test event, in time
 * order: what comes next? Global state is frozen after training and validation; only the person's own test events
 * advance, and an event's own coordinates are unknown until it is scored. Full ranking over all products: one that is not
 * among the candidates counts as missed. With `every` above one only every so-manieth event is asked for; all are
 * observed.
 */
export async function rankTestEvents(
  dataset: Dataset,
  rankers: readonly Ranker[],
  clock: () => number,
  onProgress: (done: number, total: number) => void,
  sampleEvery = 1,
): Promise<TestRanks> {
  const past = [...dataset.train, ...dataset.valid].sort((a, b) => a.time - b.time);
  const worldTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(tilePyramidAfter(dataset, past, worldTime), () => worldTime),
  );
  const methods = baselines(dataset, past);
  const ids = [...dataset.items.keys()];
  const index = new Map(ids.map((id, i) => [id, i]));
  const chosenBefore = new Set(past.map((event) => event.itemId));
  const warm = Uint8Array.from(ids, (id) => (chosenBefore.has(id) ? 1 : 0));
  const observe = (event: DatasetEvent): void => {
    replay.applyEvent(event);
    for (const method of methods) method.observe(event);
  };
  for (const event of past) observe(event);

  const result: TestRanks = {
    events: [],
    eventsRecalledAt: Object.fromEntries(recallDepths.map((k) => [k, 0])),
    timesShown: new Map(),
    stageMilliseconds: {},
    requests: 0,
  };
  // Where there are several types of events, an episode is asked for once: a click after a view is no discovery.
  const hasOneEventType = new Set(dataset.test.map((event) => event.type)).size === 1;
  const test = [...dataset.test].sort((a, b) => a.time - b.time);
  for (const [i, event] of test.entries()) {
    const { userId, itemId, time } = event;
    const profile = replay.profile(userId);
    if (i % sampleEvery === 0 && event.type !== "dismiss" && (hasOneEventType || startsEpisode(profile, event))) {
      const isWarm = (id: string): boolean => chosenBefore.has(id) || replay.hasInteracted(userId, id);
      const cold = !isWarm(itemId);
      const ranked: RankedEvent = {
        userId: userId,
        revisit: replay.hasInteracted(userId, itemId),
        priorChoices: profile.choices,
        cold,
        ...baselineRanks(methods, event, index.get(itemId) as number, cold, (other) => {
          return warm[other] === 1 || replay.hasInteracted(userId, ids[other]);
        }),
      };
      const request = { userId, time, limit: maxCandidates };
      const candidates = await replay.candidates(
        request,
        maxRecallDepth,
        rankers[0]?.firstStage ?? defaultFirstStage,
      );
      const candidateIndex = candidateIndexOf(candidates, itemId);
      for (const k of recallDepths) if (candidateIndex >= 0 && candidateIndex < k) result.eventsRecalledAt[k]++;
      const ranks: number[] = [];
      const withoutCold: number[] = [];
      for (const ranker of rankers) {
        const answer = await replay.recommend(request, ranker, clock);
        recordAnswer(result, answer);
        const position = answer.items.findIndex(({ productId }) => productId === itemId);
        const above = answer.items.slice(0, Math.max(0, position)).filter(({ productId }) => isWarm(productId));
        ranks.push(position < 0 ? Number.POSITIVE_INFINITY : position + 1);
        withoutCold.push(position < 0 || cold ? Number.POSITIVE_INFINITY : above.length + 1);
      }
      ranked.ranks.pipeline = ranks;
      ranked.ranksWithoutCold.pipeline = withoutCold;
      result.events.push(ranked);
    }
    observe(event);
    if (i % 64 === 0) onProgress(i, test.length);
  }
  return result;
}

/** Where the counting methods rank a product, with and without what is cold. */
function baselineRanks(
  methods: readonly Baseline[],
  event: DatasetEvent,
  item: number,
  cold: boolean,
  isWarm: (item: number) => boolean,
): Pick<RankedEvent, "ranks" | "ranksWithoutCold"> {
  const ranks: Record<string, Ranks> = {};
  const ranksWithoutCold: Record<string, Ranks> = {};
  for (const method of methods) {
    const scores = method.score(event);
    ranks[method.name] = [rankOf(scores, item)];
    ranksWithoutCold[method.name] = [cold ? Number.POSITIVE_INFINITY : rankOf(scores, item, isWarm)];
  }
  return { ranks, ranksWithoutCold };
}

/** Index of a product among candidates; -1 where it is not. */
function candidateIndexOf(candidates: readonly Candidate[], itemId: string): number {
  const hash = hash53(itemId);
  return candidates.findIndex(({ block, row }) => block.idHash[row] === hash);
}

/** Notes what was shown and how long it took. */
function recordAnswer(result: TestRanks, answer: PipelineAnswer): void {
  result.requests++;
  for (const { name, ms } of answer.stages)
    result.stageMilliseconds[name] = (result.stageMilliseconds[name] ?? 0) + ms;
  for (const { productId } of answer.items.slice(0, 10))
    result.timesShown.set(productId, (result.timesShown.get(productId) ?? 0) + 1);
}
