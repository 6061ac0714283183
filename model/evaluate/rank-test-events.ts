import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import { hasProductId } from "../columns/product-identity.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "../data/dataset.ts";
import type { Candidate } from "../features/compute-features.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer } from "../pipeline/run-pipeline.ts";
import { hasOneEventType, startsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { type CountingRules, tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import type { Baseline } from "./baselines/baseline.ts";
import { countingMethods } from "./baselines/counting-methods.ts";
import { rankOf } from "./baselines/rank-of.ts";
import type { Ranks } from "./metrics.ts";
import { hasContent, lateProducts } from "./product-facts.ts";

/** A test event, and the rank that each method gave its product. */
export interface RankedEvent {
  userId: string;
  /** True if the user interacted with the product before. */
  revisit: boolean;
  /** Number of the user's earlier choices. */
  priorChoices: number;
  /**
   * True if nobody chose the product in training and validation, and this user did not choose it in earlier test
   * events.
   */
  cold: boolean;
  /** True if the product is not cold, but others chose it only in the newest tenth of training and validation, or not at all. */
  late: boolean;
  /** True if text tells what the product is about, beyond its category. */
  content: boolean;
  /** Ranks by method, among all products. */
  ranks: Record<string, Ranks>;
  /** Ranks by method, among products that are not cold; a cold product is missed. */
  ranksWithoutCold: Record<string, Ranks>;
}

/** The ranks of all test events, with statistics of the pipeline. */
export interface TestRanks {
  events: RankedEvent[];
  /** Number of events whose product was among the first k candidates, by k. */
  eventsRecalledAt: Record<string, number>;
  /** Number of times that the pipeline listed a product among the first ten, by product id. */
  timesShown: Map<string, number>;
  /** Total milliseconds of all requests, by pipeline stage. */
  stageMilliseconds: Record<string, number>;
  /** Number of recommendation requests. */
  requests: number;
}

/** Numbers of candidates at which recall is measured. */
const recallDepths = [100, 200, 500, 1000] as const;
const maxRecallDepth = 1000;
/** Recommended products that count as shown. */
const shownLength = 10;
/** Test events between two calls of `onProgress`. */
const eventsPerProgress = 64;

/** Which test events are ranked, and how users count. */
export interface RankingOptions {
  /** Every so many-th event of all users is ranked; all are observed. */
  sampleEvery: number;
  /** How users count for others. */
  counting?: CountingRules;
}

/** The ranks of some users' test events. */
export interface PartRanks extends TestRanks {
  /** Index of each ranked event among the test events of all users, in time order. */
  indexes: number[];
}

/**
 * Ranks the product of each test event, in time order, by the serving pipeline and by the counting methods. The
 * pipeline runs once with each ranker, one for each seed.
 *
 * Global state is frozen after training and validation. Only a user's own earlier test events update the user's state,
 * and no method sees an event's coordinates before ranking it. The ranking covers all products: a product that is not
 * among the candidates counts as missed. If `sampleEvery` is n, the function ranks every nth event and observes all
 * events. Users count for others by `counting`. The methods `more` are ranked beside the counting methods.
 */
export async function rankTestEvents(
  dataset: Dataset,
  rankers: readonly Ranker[],
  clock: () => number,
  onProgress: (done: number, total: number) => void,
  sampleEvery = 1,
  counting?: CountingRules,
  more: readonly Baseline[] = [],
): Promise<TestRanks> {
  const options = { sampleEvery, counting };
  const everyone = (): boolean => true;
  const { indexes: _, ...ranks } = await rankPart(
    dataset,
    rankers,
    clock,
    onProgress,
    options,
    more,
    everyone,
  );
  return ranks;
}

/**
 * Ranks as {@link rankTestEvents} does, but only the test events of users for whom `isOwn` is true. A user's ranks do not
 * depend on the test events of others, so that parts with all users add up to the whole.
 */
export async function rankPart(
  dataset: Dataset,
  rankers: readonly Ranker[],
  clock: () => number,
  onProgress: (done: number, total: number) => void,
  { sampleEvery, counting }: RankingOptions,
  more: readonly Baseline[],
  isOwn: (userId: string) => boolean,
): Promise<PartRanks> {
  const past = [...dataset.train, ...dataset.valid].sort((a, b) => a.time - b.time);
  const snapshotTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(tilePyramidAfter(dataset, past, snapshotTime, counting), () => snapshotTime),
  );
  const methods = [...countingMethods(dataset, past), ...more];
  const ids = [...dataset.items.keys()];
  const index = new Map(ids.map((id, i) => [id, i]));
  const chosenBefore = new Set(past.flatMap(({ type, itemId }) => (type === "dismiss" ? [] : [itemId])));
  const late = lateProducts(past);
  const warm = Uint8Array.from(ids, (id) => (chosenBefore.has(id) ? 1 : 0));
  const observe = (event: DatasetEvent): void => {
    replay.applyEvent(event);
    for (const method of methods) method.observe(event);
  };
  for (const event of past) observe(event);

  const result: PartRanks = {
    events: [],
    indexes: [],
    eventsRecalledAt: Object.fromEntries(recallDepths.map((k) => [k, 0])),
    timesShown: new Map(),
    stageMilliseconds: {},
    requests: 0,
  };
  // With several event types, only the first event of an episode counts: a click after a view is no new choice.
  const hasOneType = hasOneEventType(dataset.test);
  const test = [...dataset.test].sort((a, b) => a.time - b.time);
  for (const [i, event] of test.entries()) {
    if (i % eventsPerProgress === 0) onProgress(i, test.length);
    const { userId, itemId, time } = event;
    if (!isOwn(userId)) continue;
    const profile = replay.profile(userId);
    if (i % sampleEvery === 0 && event.type !== "dismiss" && (hasOneType || startsEpisode(profile, event))) {
      const isWarm = (id: string): boolean => chosenBefore.has(id) || replay.hasChosen(userId, id);
      const cold = !isWarm(itemId);
      const ranked: RankedEvent = {
        userId,
        revisit: replay.hasChosen(userId, itemId),
        priorChoices: profile.choices,
        cold,
        late: !cold && (late.has(itemId) || !chosenBefore.has(itemId)),
        content: hasContent(dataset.items.get(itemId) as DatasetItem),
        ...baselineRanks(methods, event, index.get(itemId) as number, cold, (other) => {
          return warm[other] === 1 || replay.hasChosen(userId, ids[other]);
        }),
      };
      const request = { userId, time, limit: maxCandidates };
      const candidates = await replay.candidates(
        request,
        maxRecallDepth,
        rankers[0]?.firstStage ?? defaultFirstStage,
      );
      const candidateIndex = candidateIndexOf(candidates, itemId);
      for (const k of recallDepths)
        if (candidateIndex >= 0 && candidateIndex < k) result.eventsRecalledAt[k]++;
      const ranks: number[] = [];
      const withoutCold: number[] = [];
      for (const ranker of rankers) {
        const answer = await replay.recommend(request, ranker, clock);
        recordAnswer(result, answer);
        const position = answer.items.findIndex(({ productId }) => productId === itemId);
        const above = answer.items
          .slice(0, Math.max(0, position))
          .filter(({ productId }) => isWarm(productId));
        ranks.push(position < 0 ? Number.POSITIVE_INFINITY : position + 1);
        withoutCold.push(position < 0 || cold ? Number.POSITIVE_INFINITY : above.length + 1);
      }
      ranked.ranks.pipeline = ranks;
      ranked.ranksWithoutCold.pipeline = withoutCold;
      result.events.push(ranked);
      result.indexes.push(i);
    }
    observe(event);
  }
  return result;
}

/** Returns the ranks of an item by the counting methods, among all items and among items that are not cold. */
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

/** Returns the index of a product among the candidates, or -1. */
function candidateIndexOf(candidates: readonly Candidate[], itemId: string): number {
  return candidates.findIndex(({ block, row }) => hasProductId(block, row, itemId));
}

/** Adds the shown products and the stage times of an answer to the result. */
function recordAnswer(result: TestRanks, answer: PipelineAnswer): void {
  result.requests++;
  for (const { name, ms } of answer.stages)
    result.stageMilliseconds[name] = (result.stageMilliseconds[name] ?? 0) + ms;
  for (const { productId } of answer.items.slice(0, shownLength))
    result.timesShown.set(productId, (result.timesShown.get(productId) ?? 0) + 1);
}
