import { type Interval, intervalGradually } from "../evaluate/metrics.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { type Gradual, runToEnd } from "../gradual.ts";
import { purchaseWorth } from "../pipeline/recommend.ts";
import type { LoggedExample } from "./logged-examples.ts";

/** What a candidate is compared with: what serves, and orders that anybody could make without learning. */
export const baselines = ["popularity", "distance", "own"] as const;
export type Baseline = (typeof baselines)[number];
export type Method = "candidate" | "serving" | Baseline;

/** The dense feature that each baseline orders by, and in which direction. */
const ordering: Record<Baseline, { feature: string; sign: number }> = {
  popularity: { feature: "people", sign: 1 },
  distance: { feature: "distance_log", sign: -1 },
  own: { feature: "own_count", sign: 1 },
};

/** A list that people saw, with what each method says of its rows. */
export interface Compared {
  example: LoggedExample;
  list: TrainingList;
  candidate: Float32Array;
  serving: Float32Array;
}

/** How good each method's order of one list is: NDCG at 10, see {@link qualityOf}. */
export interface ListQuality {
  pseudonym: string;
  weight: number;
  quality: Record<Method, number>;
  /** What no knowledge at all would give. */
  chance: number;
  slices: string[];
}

const discount = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

/** The share of the best possible gain, discounted by rank, with gains by row (Järvelin and Kekäläinen, TOIS 20(4), 2002). */
function ndcg(order: readonly number[], gains: readonly number[]): number {
  const ideal = [...gains].sort((a, b) => b - a).reduce((sum, gain, i) => sum + gain * discount(i + 1), 0);
  return order.reduce((sum, row, i) => sum + gains[row] * discount(i + 1), 0) / ideal;
}

/**
 * Compares orders of what was shown in one list; null where nothing of it was chosen. Only shown rows count: of the others
 * nobody knows what would have come of them. A purchase is worth an engagement and `purchaseWorth` more. Ties are broken by
 * the products' hashes, so that no method gains from the order in which they were logged.
 */
export function qualityOf(
  shape: FeatureShape,
  { example, list, candidate, serving }: Compared,
): ListQuality | null {
  const shown = example.rows.flatMap(({ position }, row) => (position > 0 ? [row] : []));
  const gains = shown.map((row) => list.engage[row] + purchaseWorth * list.purchase[row]);
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  if (total === 0 || shown.length < 2) return null;
  const width = shape.dense.length;
  const by = (score: (row: number) => number): number => {
    const order = shown
      .map((_, i) => i)
      .sort(
        (a, b) =>
          score(shown[b]) - score(shown[a]) ||
          example.rows[shown[a]].product - example.rows[shown[b]].product,
      );
    return ndcg(order, gains);
  };
  const byFeature = (baseline: Baseline): number => {
    const at = shape.dense.indexOf(ordering[baseline].feature);
    return at < 0 ? 0 : by((row) => ordering[baseline].sign * list.batch.dense[row * width + at]);
  };
  const meanDiscount = shown.reduce((sum, _, i) => sum + discount(i + 1), 0) / shown.length;
  const ideal = [...gains].sort((a, b) => b - a).reduce((sum, gain, i) => sum + gain * discount(i + 1), 0);
  return {
    pseudonym: example.pseudonym,
    weight: example.weight,
    quality: {
      candidate: by((row) => candidate[row]),
      serving: by((row) => serving[row]),
      popularity: byFeature("popularity"),
      distance: byFeature("distance"),
      own: byFeature("own"),
    },
    chance: (total * meanDiscount) / ideal,
    slices: slicesOf(shape, example, list),
  };
}

/** The groups whose figures are told apart. */
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

/** A difference of two methods with its 95% interval, people drawn with replacement. */
export interface Difference {
  lists: number;
  mean: number;
  interval: Interval | null;
}

/** What is known of a candidate from the newest outcomes. */
export interface Comparison {
  lists: number;
  people: number;
  /** Mean NDCG at 10 by method, and of chance. */
  quality: Record<Method | "chance", number>;
  gain: Difference;
  /** How much better than chance the serving model's order is: what says whether the outcomes mean anything. */
  overChance: Difference;
  /** How much better than chance the candidate's order is. */
  candidateOverChance: Difference;
  slices: Record<string, Difference>;
}

/** Weighted mean over lists; 0 for none. */
function meanOf(lists: readonly ListQuality[], of: (list: ListQuality) => number): number {
  let sum = 0;
  let mass = 0;
  for (const list of lists) {
    sum += list.weight * of(list);
    mass += list.weight;
  }
  return mass === 0 ? 0 : sum / mass;
}

function* difference(lists: readonly ListQuality[], of: (list: ListQuality) => number): Gradual<Difference> {
  return {
    lists: lists.length,
    mean: meanOf(lists, of),
    interval: yield* intervalGradually(
      lists.map((list) => list.weight * of(list)),
      lists.map(({ pseudonym: person }) => person),
      lists.map(({ weight }) => weight),
    ),
  };
}

/** Sums lists up. Slices of fewer than `least` lists are left out. */
export const compare = (lists: readonly ListQuality[], least: number): Comparison =>
  runToEnd(compareGradually(lists, least));

/** {@link compare}, with pauses. */
export function* compareGradually(lists: readonly ListQuality[], least: number): Gradual<Comparison> {
  const of = (method: Method): number => meanOf(lists, ({ quality }) => quality[method]);
  const gain = ({ quality }: ListQuality): number => quality.candidate - quality.serving;
  const slices = new Map<string, ListQuality[]>();
  for (const list of lists)
    for (const slice of list.slices) {
      const part = slices.get(slice);
      if (part) part.push(list);
      else slices.set(slice, [list]);
    }
  const told: Record<string, Difference> = {};
  for (const [name, part] of [...slices].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (part.length >= least) told[name] = yield* difference(part, gain);
  return {
    lists: lists.length,
    people: new Set(lists.map(({ pseudonym: person }) => person)).size,
    quality: {
      candidate: of("candidate"),
      serving: of("serving"),
      popularity: of("popularity"),
      distance: of("distance"),
      own: of("own"),
      chance: meanOf(lists, ({ chance }) => chance),
    },
    gain: yield* difference(lists, gain),
    overChance: yield* difference(lists, ({ quality, chance }) => quality.serving - chance),
    candidateOverChance: yield* difference(lists, ({ quality, chance }) => quality.candidate - chance),
    slices: told,
  };
}

/** What the log says of its own health. */
export interface DataFacts {
  examples: number;
  /** Examples of which something came. */
  engaged: number;
  people: number;
  /** Lines that were not as documented. */
  damaged: number;
  /** Largest share of all engagement that is one person's. */
  largestShare: number;
  /** Share of shown rows that were engaged with: while training, and in the newest window. */
  rate: { training: number; newest: number };
}
