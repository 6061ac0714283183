import { bootstrapIntervalPausable, type ConfidenceInterval } from "../evaluate/metrics.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { type PausableWork, runWithoutPauses } from "../pausable-work.ts";
import { purchaseValue } from "../pipeline/final-scores.ts";
import type { LoggedExample } from "./logged-examples.ts";

/**
 * Rankings without a trained model that the candidate must beat: by popularity, by distance, by the user's own history.
 */
export const baselineNames = ["popularity", "distance", "own"] as const;
export type BaselineName = (typeof baselineNames)[number];
export type RankingMethod = "candidate" | "serving" | BaselineName;

/** The dense feature by which each baseline ranks; sign -1 ranks small values first. */
const baselineFeatures: Record<BaselineName, { feature: string; sign: number }> = {
  popularity: { feature: "people", sign: 1 },
  distance: { feature: "distance_log", sign: -1 },
  own: { feature: "own_count", sign: 1 },
};

/** A list that a user saw, with the scores of the candidate and the serving model for each row. */
export interface ScoredList {
  example: LoggedExample;
  list: TrainingList;
  candidate: Float32Array;
  serving: Float32Array;
}

/** NDCG@10 of each ranking method on one list; see {@link qualityOf}. */
export interface ListQuality {
  pseudonym: string;
  weight: number;
  quality: Record<RankingMethod, number>;
  /** Expected NDCG@10 of a random order. */
  chance: number;
  slices: string[];
}

const discount = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

/** Returns the NDCG@10 (0 to 1) of an order, with gains by row (Järvelin and Kekäläinen, TOIS 20(4), 2002). */
function ndcg(order: readonly number[], gains: readonly number[]): number {
  const ideal = [...gains].sort((a, b) => b - a).reduce((sum, gain, i) => sum + gain * discount(i + 1), 0);
  return order.reduce((sum, row, i) => sum + gains[row] * discount(i + 1), 0) / ideal;
}

/**
 * Returns the NDCG@10 of each method on one list; null if the user engaged with no row. Only shown rows count, since
 * the outcome of the other rows is unknown. The gain of an engagement is 1, that of a purchase {@link purchaseValue}
 * more. Ties are broken by the products' hashes, so that no method profits from the logged order.
 */
export function qualityOf(
  shape: FeatureShape,
  { example, list, candidate, serving }: ScoredList,
): ListQuality | null {
  const shown = example.rows.flatMap(({ position }, row) => (position > 0 ? [row] : []));
  const gains = shown.map((row) => list.engage[row] + purchaseValue * list.purchase[row]);
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  if (total === 0 || shown.length < 2) return null;
  const width = shape.dense.length;
  const ndcgBy = (score: (row: number) => number): number => {
    const order = shown
      .map((_, i) => i)
      .sort(
        (a, b) =>
          score(shown[b]) - score(shown[a]) ||
          example.rows[shown[a]].product - example.rows[shown[b]].product,
      );
    return ndcg(order, gains);
  };
  const ndcgByFeature = (baseline: BaselineName): number => {
    const column = shape.dense.indexOf(baselineFeatures[baseline].feature);
    return column < 0
      ? 0
      : ndcgBy((row) => baselineFeatures[baseline].sign * list.batch.dense[row * width + column]);
  };
  const meanDiscount = shown.reduce((sum, _, i) => sum + discount(i + 1), 0) / shown.length;
  const ideal = [...gains].sort((a, b) => b - a).reduce((sum, gain, i) => sum + gain * discount(i + 1), 0);
  return {
    pseudonym: example.pseudonym,
    weight: example.weight,
    quality: {
      candidate: ndcgBy((row) => candidate[row]),
      serving: ndcgBy((row) => serving[row]),
      popularity: ndcgByFeature("popularity"),
      distance: ndcgByFeature("distance"),
      own: ndcgByFeature("own"),
    },
    chance: (total * meanDiscount) / ideal,
    slices: slicesOf(shape, example, list),
  };
}

/** Returns the names of the slices that the list belongs to: new users, its country, its chosen categories. */
function slicesOf(shape: FeatureShape, example: LoggedExample, list: TrainingList): string[] {
  const choices = list.batch.dense[shape.dense.indexOf("person_choices")];
  const categories = new Set(
    example.rows.flatMap(({ category, position }, i) =>
      position > 0 && category !== null && list.engage[i] > 0 ? [`category ${category}`] : [],
    ),
  );
  return [
    ...(choices === 0 ? ["new people"] : []),
    ...(example.country ? [`country ${example.country}`] : []),
    ...categories,
  ];
}

/** The mean difference of two methods' NDCG@10, with a 95% interval from a bootstrap over users. */
export interface QualityDifference {
  lists: number;
  mean: number;
  interval: ConfidenceInterval | null;
}

/** The comparison of the candidate with the serving model and the baselines, on the evaluation window. */
export interface Comparison {
  lists: number;
  people: number;
  /** Mean NDCG@10 by method, and of a random order. */
  quality: Record<RankingMethod | "chance", number>;
  /** Candidate minus serving model. */
  gain: QualityDifference;
  /** Serving model minus random order. Shows whether the outcomes carry any signal. */
  overChance: QualityDifference;
  /** Candidate minus random order. */
  candidateOverChance: QualityDifference;
  /** The gain by slice. */
  slices: Record<string, QualityDifference>;
}

/** Returns the weighted mean of a value over the lists; 0 without lists. */
function meanOf(lists: readonly ListQuality[], valueOfList: (list: ListQuality) => number): number {
  let sum = 0;
  let mass = 0;
  for (const list of lists) {
    sum += list.weight * valueOfList(list);
    mass += list.weight;
  }
  return mass === 0 ? 0 : sum / mass;
}

function* qualityDifference(
  lists: readonly ListQuality[],
  valueOfList: (list: ListQuality) => number,
): PausableWork<QualityDifference> {
  return {
    lists: lists.length,
    mean: meanOf(lists, valueOfList),
    interval: yield* bootstrapIntervalPausable(
      lists.map((list) => list.weight * valueOfList(list)),
      lists.map(({ pseudonym }) => pseudonym),
      lists.map(({ weight }) => weight),
    ),
  };
}

/** Returns the comparison over all lists. Slices with fewer than `minLists` lists are left out. */
export const compareLists = (lists: readonly ListQuality[], minLists: number): Comparison =>
  runWithoutPauses(compareListsPausable(lists, minLists));

/** Like {@link compareLists}, with pauses. */
export function* compareListsPausable(
  lists: readonly ListQuality[],
  minLists: number,
): PausableWork<Comparison> {
  const meanQuality = (method: RankingMethod): number => meanOf(lists, ({ quality }) => quality[method]);
  const gain = ({ quality }: ListQuality): number => quality.candidate - quality.serving;
  const slices = new Map<string, ListQuality[]>();
  for (const list of lists)
    for (const slice of list.slices) {
      const part = slices.get(slice);
      if (part) part.push(list);
      else slices.set(slice, [list]);
    }
  const sliceGains: Record<string, QualityDifference> = {};
  for (const [name, part] of [...slices].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (part.length >= minLists) sliceGains[name] = yield* qualityDifference(part, gain);
  return {
    lists: lists.length,
    people: new Set(lists.map(({ pseudonym }) => pseudonym)).size,
    quality: {
      candidate: meanQuality("candidate"),
      serving: meanQuality("serving"),
      popularity: meanQuality("popularity"),
      distance: meanQuality("distance"),
      own: meanQuality("own"),
      chance: meanOf(lists, ({ chance }) => chance),
    },
    gain: yield* qualityDifference(lists, gain),
    overChance: yield* qualityDifference(lists, ({ quality, chance }) => quality.serving - chance),
    candidateOverChance: yield* qualityDifference(lists, ({ quality, chance }) => quality.candidate - chance),
    slices: sliceGains,
  };
}
