import { inMemoryCandidates } from "../candidate-sources/candidate-store.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { Candidate } from "../features/compute.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { maxCandidates, type PipelineAnswer } from "../pipeline/recommend.ts";
import { beginsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { worldAfter } from "../replay/world.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { type Baseline, baselines, rankOf } from "./baselines.ts";
import type { Ranks } from "./metrics.ts";

/** A test event that was asked for, and where each method ranked its product. */
export interface Asked {
  person: string;
  /** The person dealt with the product before. */
  revisit: boolean;
  /** Choices of the person that were known. */
  known: number;
  /** Nobody had chosen the product: in training and validation nobody at all, since then not this person. */
  cold: boolean;
  /** By method, over all products. */
  ranks: Record<string, Ranks>;
  /** By method, with what is cold taken out of the candidates: a cold target is missed. */
  ranksWithoutCold: Record<string, Ranks>;
}

/** What was seen while asking. */
export interface Answers {
  asked: Asked[];
  /** Events whose product was among the first k candidates, by k. */
  recalled: Record<string, number>;
  /** How often the pipeline showed a product among the first ten. */
  shown: Map<string, number>;
  /** Milliseconds by stage of the pipeline, over all questions. */
  milliseconds: Record<string, number>;
  questions: number;
}

const recallAt = [100, 200, 500, 1000] as const;
const furthest = 1000;

/**
 * Asks the serving pipeline, once with each ranker (one a seed), and the counting methods for each test event, in time
 * order: what comes next? Global state is frozen after training and validation; only the person's own test events
 * advance, and an event's own coordinates are unknown until it is scored. Full ranking over all products: one that is not
 * among the candidates counts as missed. With `every` above one only every so-manieth event is asked for; all are
 * observed.
 */
export async function ask(
  dataset: Dataset,
  rankers: readonly Ranker[],
  clock: () => number,
  onProgress: (done: number, total: number) => void,
  every = 1,
): Promise<Answers> {
  const past = [...dataset.train, ...dataset.valid].sort((a, b) => a.time - b.time);
  const worldTime = past.at(-1)?.time ?? 0;
  const replay = new Replay(
    dataset.items,
    inMemoryCandidates(worldAfter(dataset, past, worldTime), () => worldTime),
  );
  const methods = baselines(dataset, past);
  const ids = [...dataset.items.keys()];
  const index = new Map(ids.map((id, i) => [id, i]));
  const chosenBefore = new Set(past.map((event) => event.itemId));
  const warm = Uint8Array.from(ids, (id) => (chosenBefore.has(id) ? 1 : 0));
  const observe = (event: DatasetEvent): void => {
    replay.observe(event);
    for (const method of methods) method.observe(event);
  };
  for (const event of past) observe(event);

  const answers: Answers = {
    asked: [],
    recalled: Object.fromEntries(recallAt.map((k) => [k, 0])),
    shown: new Map(),
    milliseconds: {},
    questions: 0,
  };
  // Where there are several types of events, an episode is asked for once: a click after a view is no discovery.
  const single = new Set(dataset.test.map((event) => event.type)).size === 1;
  const test = [...dataset.test].sort((a, b) => a.time - b.time);
  for (const [i, event] of test.entries()) {
    const { userId, itemId, time } = event;
    const person = replay.person(userId);
    if (i % every === 0 && event.type !== "dismiss" && (single || beginsEpisode(person, event))) {
      const isWarm = (id: string): boolean => chosenBefore.has(id) || replay.hasMet(userId, id);
      const cold = !isWarm(itemId);
      const asked: Asked = {
        person: userId,
        revisit: replay.hasMet(userId, itemId),
        known: person.choices,
        cold,
        ...ranksOf(methods, event, index.get(itemId) as number, cold, (other) => {
          return warm[other] === 1 || replay.hasMet(userId, ids[other]);
        }),
      };
      const question = { userId, time, limit: maxCandidates };
      const candidates = await replay.candidates(
        question,
        furthest,
        rankers[0]?.firstStage ?? defaultFirstStage,
      );
      const found = rowIn(candidates, itemId);
      for (const k of recallAt) if (found >= 0 && found < k) answers.recalled[k]++;
      const all: number[] = [];
      const withoutCold: number[] = [];
      for (const ranker of rankers) {
        const answer = await replay.ask(question, ranker, clock);
        account(answers, answer);
        const shown = answer.items.findIndex(({ productId }) => productId === itemId);
        const above = answer.items.slice(0, Math.max(0, shown)).filter(({ productId }) => isWarm(productId));
        all.push(shown < 0 ? Number.POSITIVE_INFINITY : shown + 1);
        withoutCold.push(shown < 0 || cold ? Number.POSITIVE_INFINITY : above.length + 1);
      }
      asked.ranks.pipeline = all;
      asked.ranksWithoutCold.pipeline = withoutCold;
      answers.asked.push(asked);
    }
    observe(event);
    if (i % 64 === 0) onProgress(i, test.length);
  }
  return answers;
}

/** Where the counting methods rank a product, with and without what is cold. */
function ranksOf(
  methods: readonly Baseline[],
  event: DatasetEvent,
  item: number,
  cold: boolean,
  isWarm: (item: number) => boolean,
): Pick<Asked, "ranks" | "ranksWithoutCold"> {
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
function rowIn(candidates: readonly Candidate[], itemId: string): number {
  const hash = hash53(itemId);
  return candidates.findIndex(({ block, row }) => block.idHash[row] === hash);
}

/** Notes what was shown and how long it took. */
function account(answers: Answers, answer: PipelineAnswer): void {
  answers.questions++;
  for (const { name, ms } of answer.stages)
    answers.milliseconds[name] = (answers.milliseconds[name] ?? 0) + ms;
  for (const { productId } of answer.items.slice(0, 10))
    answers.shown.set(productId, (answers.shown.get(productId) ?? 0) + 1);
}
