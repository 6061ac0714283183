import { bootstrapIntervalPausable, type ConfidenceInterval } from "../evaluate/metrics.ts";
import type { FeatureShape, TrainingList } from "../features/batch.ts";
import { type PausableWork, runWithoutPauses } from "../pausable-work.ts";
import { purchaseValue } from "../pipeline/final-scores.ts";
import { candidatesPerSampledRow, isSampled, type LoggedExample } from "./logged-examples.ts";
import { gainOf, type PreparedList, prepareLists, type RegressedRow } from "./outcome-regression.ts";

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

/** NDCG@10 of each ranking method on the shown products of a list, which the user engaged with. */
interface ListQuality {
  quality: Record<RankingMethod, number>;
  /** Expected NDCG@10 of a random order. */
  chance: number;
  /** Outcomes, each divided by the examination of its position. */
  weight: number;
  /** Candidate minus serving model, where outcomes count as they came, whatever their position. */
  rawGain: number;
}

/** A logged list as the gate sees it. */
export interface JudgedList {
  pseudonym: string;
  weight: number;
  slices: string[];
  rows: RegressedRow[];
  /** Null if the user engaged with none of at least two shown products. */
  shown: ListQuality | null;
}

/** The smallest examination by which an outcome is divided: it bounds the weight of one outcome. */
const minExamined = 0.1;

const discount = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

const idealDcg = (gains: readonly number[]): number =>
  [...gains].sort((a, b) => b - a).reduce((sum, gain, i) => sum + gain * discount(i + 1), 0);

/** Returns the NDCG@10 (0 to 1) of an order, with gains by row (Järvelin and Kekäläinen, TOIS 20(4), 2002). */
const ndcg = (order: readonly number[], gains: readonly number[]): number =>
  order.reduce((sum, row, i) => sum + gains[row] * discount(i + 1), 0) / idealDcg(gains);

/**
 * Returns a list with what its outcomes say. The gain of an engagement is 1, that of a purchase {@link purchaseValue} more.
 * `list.examined` says how often users look at the positions.
 */
export function judgeList(shape: FeatureShape, scored: ScoredList): JudgedList {
  const { example, list, candidate, serving } = scored;
  const perSampled = candidatesPerSampledRow(example);
  const examined = (row: number): number => list.examined?.[row] ?? 1;
  const gainOfRow = (row: number): number => list.engage[row] + purchaseValue * list.purchase[row];
  return {
    pseudonym: example.pseudonym,
    weight: example.weight,
    slices: slicesOf(shape, example, list),
    rows: example.rows.map((row, i) => ({
      ...{ serving: serving[i], candidate: candidate[i], position: row.position },
      represents: isSampled(row) ? perSampled : (row.represents ?? 1),
      examined: examined(i),
      gain: row.position > 0 ? gainOfRow(i) : 0,
    })),
    shown: qualityOfShown(shape, scored, gainOfRow, examined),
  };
}

/**
 * Returns the NDCG@10 of each method on the shown rows. Outcomes count by the inverse of the examination of their position.
 * Ties are broken by the products' hashes, so that no method profits from the logged order.
 */
function qualityOfShown(
  shape: FeatureShape,
  { example, list, candidate, serving }: ScoredList,
  gainOfRow: (row: number) => number,
  examined: (row: number) => number,
): ListQuality | null {
  const shown = example.rows.flatMap(({ position }, row) => (position > 0 ? [row] : []));
  const came = shown.map(gainOfRow);
  if (shown.length < 2 || came.every((gain) => gain === 0)) return null;
  const gains = shown.map((row, i) => came[i] / Math.max(minExamined, examined(row)));
  const total = gains.reduce((sum, gain) => sum + gain, 0);
  const width = shape.dense.length;
  const orderBy = (score: (row: number) => number): number[] =>
    shown
      .map((_, i) => i)
      .sort(
        (a, b) =>
          score(shown[b]) - score(shown[a]) ||
          example.rows[shown[a]].product - example.rows[shown[b]].product,
      );
  const byFeature = (baseline: BaselineName): number => {
    const column = shape.dense.indexOf(baselineFeatures[baseline].feature);
    const order = orderBy((row) => baselineFeatures[baseline].sign * list.batch.dense[row * width + column]);
    return column < 0 ? 0 : ndcg(order, gains);
  };
  const [byCandidate, byServing] = [orderBy((row) => candidate[row]), orderBy((row) => serving[row])];
  const meanDiscount = shown.reduce((sum, _, i) => sum + discount(i + 1), 0) / shown.length;
  return {
    quality: {
      candidate: ndcg(byCandidate, gains),
      serving: ndcg(byServing, gains),
      popularity: byFeature("popularity"),
      distance: byFeature("distance"),
      own: byFeature("own"),
    },
    chance: (total * meanDiscount) / idealDcg(gains),
    weight: total,
    rawGain: ndcg(byCandidate, came) - ndcg(byServing, came),
  };
}

/**
 * Returns the names of the slices that the list belongs to: new users, its country, the categories that it shows. What the
 * user chose decides no slice: a candidate would look better where it raises what was chosen.
 */
function slicesOf(shape: FeatureShape, example: LoggedExample, list: TrainingList): string[] {
  const choices = list.batch.dense[shape.dense.indexOf("person_choices")];
  const categories = new Set(
    example.rows.flatMap(({ category, position }) =>
      position > 0 && category !== null ? [`category ${category}`] : [],
    ),
  );
  return [
    ...(choices === 0 ? ["new people"] : []),
    ...(example.country ? [`country ${example.country}`] : []),
    ...categories,
  ];
}

/** A mean difference, with a 95% interval from a bootstrap over users. */
export interface QualityDifference {
  lists: number;
  mean: number;
  interval: ConfidenceInterval | null;
}

/** How the gain was estimated; see {@link compareListsPausable}. */
export type GainMethod = "regression" | "raw";

/** The comparison of the candidate with the serving model and the baselines, on the lists of the evaluation. */
export interface Comparison {
  /** Lists with an engagement, and the users of all lists. */
  lists: number;
  people: number;
  /** Mean NDCG@10 on the shown products by method, and of a random order; outcomes count by inverse examination. */
  quality: Record<RankingMethod | "chance", number>;
  /**
   * Share by which the outcomes of a list change if the candidate ranks in place of the serving model; by the method `raw`,
   * the difference of NDCG@10 on the shown products.
   */
  gain: QualityDifference;
  /** Absent in evaluations of the release before, whose gains are raw. */
  method?: GainMethod;
  /** Kish's effective number of the outcomes, which count by inverse examination. */
  effectiveOutcomes?: number;
  /** Difference of NDCG@10 on the shown products by outcomes as they came: for comparison. */
  rawGain?: QualityDifference;
  /** NDCG@10 on the shown products: serving model minus random order. Shows whether the outcomes carry any signal. */
  overChance: QualityDifference;
  /** Candidate minus random order. */
  candidateOverChance: QualityDifference;
  /** The gain by slice. */
  slices: Record<string, QualityDifference>;
}

/** Effective outcomes that the regression needs: its four coefficients say nothing for fewer. */
const minEffectiveOutcomes = 30;

/** A list with an engagement. */
type EngagedList = JudgedList & { shown: ListQuality };

/** Returns the weighted mean of a value over the lists; 0 without lists. */
function meanOf(lists: readonly EngagedList[], valueOfList: (list: ListQuality) => number): number {
  let sum = 0;
  let mass = 0;
  for (const { shown, weight } of lists) {
    sum += weight * shown.weight * valueOfList(shown);
    mass += weight * shown.weight;
  }
  return mass === 0 ? 0 : sum / mass;
}

/** Returns the mean of a value with its interval. Lists count by the weight that is given for each. */
function* differenceOf(
  lists: readonly EngagedList[],
  valueOfList: (list: ListQuality) => number,
  weightOf: (list: EngagedList) => number = ({ shown, weight }) => weight * shown.weight,
): PausableWork<QualityDifference> {
  const weights = lists.map(weightOf);
  const values = lists.map(({ shown }, i) => weights[i] * valueOfList(shown));
  const mass = weights.reduce((sum, each) => sum + each, 0);
  return {
    lists: lists.length,
    mean: mass === 0 ? 0 : values.reduce((sum, each) => sum + each, 0) / mass,
    interval: yield* bootstrapIntervalPausable(
      values,
      lists.map(({ pseudonym }) => pseudonym),
      weights,
    ),
  };
}

const rawGainOf = (lists: readonly EngagedList[]): PausableWork<QualityDifference> =>
  differenceOf(
    lists,
    ({ rawGain }) => rawGain,
    ({ weight }) => weight,
  );

/** Returns Kish's effective number of the outcomes ("Survey sampling", 1965), which count by inverse examination. */
function effectiveOutcomesOf(lists: readonly JudgedList[]): number {
  let sum = 0;
  let squares = 0;
  for (const { rows, weight } of lists)
    for (const { gain, examined } of rows) {
      const each = (weight * gain) / Math.max(minExamined, examined);
      sum += each;
      squares += each * each;
    }
  return squares === 0 ? 0 : (sum * sum) / squares;
}

/** Returns the comparison over all lists. Slices with fewer than `minLists` lists are left out. */
export const compareLists = (lists: readonly JudgedList[], minLists: number): Comparison =>
  runWithoutPauses(compareListsPausable(lists, minLists));

/**
 * Like {@link compareLists}, with pauses. The gain is that of a regression of all outcomes on both models' scores, which
 * neither the positions nor the choice of what was shown bias. With few effective outcomes it is the raw difference on what
 * was shown, and `method` says so.
 */
export function* compareListsPausable(
  lists: readonly JudgedList[],
  minLists: number,
): PausableWork<Comparison> {
  const engaged = lists.filter((list): list is EngagedList => list.shown !== null);
  const effectiveOutcomes = effectiveOutcomesOf(lists);
  const method: GainMethod = effectiveOutcomes < minEffectiveOutcomes ? "raw" : "regression";
  const { lists: prepared, statistics } = yield* prepareLists(lists);
  const preparedOf = new Map<JudgedList, PreparedList>(lists.map((list, i) => [list, prepared[i]]));
  function* gainIn(part: readonly JudgedList[]): PausableWork<QualityDifference> {
    const withOutcome = part.filter((list): list is EngagedList => list.shown !== null);
    if (method === "raw") return yield* rawGainOf(withOutcome);
    const { logGain, pseudoValues } = yield* gainOf(
      part.map((list) => preparedOf.get(list) as PreparedList),
      statistics,
    );
    const interval = yield* bootstrapIntervalPausable(
      pseudoValues,
      part.map(({ pseudonym }) => pseudonym),
    );
    return {
      lists: withOutcome.length,
      mean: Math.expm1(logGain),
      interval: interval && [Math.expm1(interval[0]), Math.expm1(interval[1])],
    };
  }
  const slices = new Map<string, JudgedList[]>();
  for (const list of lists)
    for (const slice of list.slices) {
      const part = slices.get(slice);
      if (part) part.push(list);
      else slices.set(slice, [list]);
    }
  const sliceGains: Record<string, QualityDifference> = {};
  for (const [name, part] of [...slices].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (part.filter(({ shown }) => shown !== null).length >= minLists) sliceGains[name] = yield* gainIn(part);
  const meanQuality = (of: RankingMethod): number => meanOf(engaged, ({ quality }) => quality[of]);
  return {
    lists: engaged.length,
    people: new Set(lists.map(({ pseudonym }) => pseudonym)).size,
    quality: {
      candidate: meanQuality("candidate"),
      serving: meanQuality("serving"),
      popularity: meanQuality("popularity"),
      distance: meanQuality("distance"),
      own: meanQuality("own"),
      chance: meanOf(engaged, ({ chance }) => chance),
    },
    gain: yield* gainIn(lists),
    ...{ method, effectiveOutcomes },
    rawGain: yield* rawGainOf(engaged),
    overChance: yield* differenceOf(engaged, ({ quality, chance }) => quality.serving - chance),
    candidateOverChance: yield* differenceOf(engaged, ({ quality, chance }) => quality.candidate - chance),
    slices: sliceGains,
  };
}
