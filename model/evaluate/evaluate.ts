import { localOffset } from "../../workers/shared/geo/local-time.ts";
import { hash53 } from "../columns/hash.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import { applyInteraction } from "../person/apply.ts";
import { newPerson, type Person } from "../person/person.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { recommend } from "../pipeline/recommend.ts";
import { placesOver } from "../retrieval/memory.ts";
import { beginsEpisode, maxCandidates } from "../train/examples.ts";
import { baselines, rankOf } from "./baselines.ts";
import { type Quality, quality } from "./metrics.ts";
import { interactionOf, offsetOf, worldAfter } from "./world.ts";

/** Quality of a method by slice. "Cold" products are those that nobody had chosen before the test. */
export interface MethodQuality {
  overall: Quality;
  revisit: Quality;
  first: Quality;
  newPeople: Quality;
  overallWithoutCold: Quality;
  firstWithoutCold: Quality;
}

/** What an evaluation found. */
export interface Evaluation {
  dataset: string;
  seeds: number[];
  methods: Record<string, MethodQuality>;
  /** Share of the events whose product was among the first k candidates. */
  recall: Record<string, number>;
  /** Of what the pipeline showed first (10): share of the catalogue, and Gini coefficient of how often. */
  shown: { coverage: number; gini: number };
  /** Mean milliseconds of a stage. */
  timing: Record<string, number>;
}

interface Asked {
  person: string;
  revisit: boolean;
  known: number;
  cold: boolean;
  ranks: Record<string, number>;
}

const recallAt = [100, 200, 500] as const;

/**
 * Asks the serving pipeline and the counting methods for each test event, in time order: what comes next? Global state is
 * of training and validation; only the person's own test events advance. Full ranking over all products.
 */
export async function evaluate(
  dataset: Dataset,
  ranker: Ranker,
  seeds: number[],
  clock: () => number,
  onProgress: (done: number, total: number) => void,
): Promise<Evaluation> {
  const past = [...dataset.train, ...dataset.valid].sort((a, b) => a.time - b.time);
  const worldTime = past.at(-1)?.time ?? 0;
  const places = placesOver(worldAfter(dataset, past, worldTime), () => worldTime);
  const methods = baselines(dataset, past);
  const index = new Map([...dataset.items.keys()].map((id, i) => [id, i]));
  const chosenBefore = new Set(past.map((event) => event.itemId));
  const people = new Map<string, Person>();
  const met = new Map<string, Set<string>>();
  let sequence = 0;
  const observe = (event: DatasetEvent): void => {
    const person = people.get(event.userId) ?? newPerson();
    people.set(event.userId, person);
    const interaction = interactionOf(event, dataset.items, sequence++);
    applyInteraction(person, interaction, offsetOf(interaction));
    for (const method of methods) method.observe(event);
    const own = met.get(event.userId) ?? new Set<string>();
    met.set(event.userId, own.add(event.itemId));
  };
  for (const event of past) observe(event);

  const asked: Asked[] = [];
  const timing: Record<string, number> = {};
  const recalled = recallAt.map(() => 0);
  const shown = new Map<string, number>();
  const single = new Set(dataset.test.map((event) => event.type)).size === 1;
  const test = [...dataset.test].sort((a, b) => a.time - b.time);
  for (const [i, event] of test.entries()) {
    const person = people.get(event.userId) ?? newPerson();
    // Where there are several types of events, an episode is asked for once: a click after a view is no discovery.
    if (event.type !== "dismiss" && (single || beginsEpisode(person, event))) {
      const point = person.location;
      const answer = await recommend(
        {
          person,
          point,
          now: event.time,
          offsetSeconds: localOffset(point?.lat ?? null, point?.lon ?? null, event.time),
          filter: {},
          rules: { limit: maxCandidates },
          maxCandidates,
          explain: false,
          budgetMs: Number.POSITIVE_INFINITY,
        },
        { places, rankers: [ranker], clock },
      );
      for (const { name, ms } of answer.stages) timing[name] = (timing[name] ?? 0) + ms;
      const target = hash53(event.itemId);
      const found = answer.candidates.findIndex(({ block, row }) => block.idHash[row] === target);
      recallAt.forEach((k, j) => {
        if (found >= 0 && found < k) recalled[j]++;
      });
      const rank = answer.items.findIndex(({ productId }) => productId === event.itemId);
      for (const { productId } of answer.items.slice(0, 10))
        shown.set(productId, (shown.get(productId) ?? 0) + 1);
      const ranks: Record<string, number> = { pipeline: rank < 0 ? Number.POSITIVE_INFINITY : rank + 1 };
      const item = index.get(event.itemId) as number;
      for (const method of methods) ranks[method.name] = rankOf(method.score(event), item);
      asked.push({
        person: event.userId,
        revisit: met.get(event.userId)?.has(event.itemId) ?? false,
        known: person.choices,
        cold: !chosenBefore.has(event.itemId),
        ranks,
      });
    }
    observe(event);
    if (i % 64 === 0) onProgress(i, test.length);
  }

  const of = (
    name: string,
    keep: (each: Asked) => boolean,
    miss: (each: Asked) => boolean = () => false,
  ): Quality => {
    const kept = asked.filter(keep);
    return quality(
      kept.map((each) => (miss(each) ? Number.POSITIVE_INFINITY : each.ranks[name])),
      kept.map((each) => each.person),
    );
  };
  const missCold = (each: Asked): boolean => each.cold && !each.revisit;
  const names = [...methods.map(({ name }) => name), "pipeline"];
  return {
    dataset: dataset.name,
    seeds,
    methods: Object.fromEntries(
      names.map((name) => [
        name,
        {
          overall: of(name, () => true),
          revisit: of(name, (each) => each.revisit),
          first: of(name, (each) => !each.revisit),
          newPeople: of(name, (each) => each.known < 5),
          overallWithoutCold: of(name, () => true, missCold),
          firstWithoutCold: of(name, (each) => !each.revisit, missCold),
        },
      ]),
    ),
    recall: Object.fromEntries(recallAt.map((k, j) => [k, recalled[j] / Math.max(1, asked.length)])),
    shown: { coverage: shown.size / dataset.items.size, gini: gini([...shown.values()], dataset.items.size) },
    timing: Object.fromEntries(
      Object.entries(timing).map(([name, ms]) => [name, ms / Math.max(1, asked.length)]),
    ),
  };
}

/** Gini coefficient of counts over `size` products: 0 for all alike, 1 for one alone. */
export function gini(counts: readonly number[], size: number): number {
  const ordered = [...new Array<number>(size - counts.length).fill(0), ...[...counts].sort((a, b) => a - b)];
  const total = ordered.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const weighted = ordered.reduce((sum, count, i) => sum + (i + 1) * count, 0);
  return (2 * weighted) / (size * total) - (size + 1) / size;
}
