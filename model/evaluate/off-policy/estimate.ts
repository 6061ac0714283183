import { fitExamination } from "../../examination/fit-examination.ts";
import type { PositionCells } from "../../examination/position-cells.ts";
import { rangeCount, rangeStarts } from "../../examination/position-ranges.ts";
import { type ClickModel, correctedModel, fitClickModel } from "./click-model.ts";
import {
  type ComparedPolicy,
  comparedPolicies,
  type GroupSums,
  type ListSums,
  type OutcomeMetric,
  outcomeMetrics,
} from "./list-sums.ts";
import { binCount } from "./score-bins.ts";

/** An estimate with its 95% confidence interval. */
export interface Estimate {
  estimate: number;
  low: number;
  high: number;
}

/** The two estimators: self-normalized importance sampling, and doubly robust. */
export const estimators = ["snips", "doublyRobust"] as const;
export type Estimator = (typeof estimators)[number];

/** Outcomes of a list: of the order of the log without exploration, of the policy in question, and the difference. */
export type ComparedValues = Record<(typeof comparedValueNames)[number], Estimate>;
const comparedValueNames = [...comparedPolicies, "difference"] as const;

/** What a log says of a policy. */
export interface OffPolicyEstimate {
  lists: number;
  /** Outcomes of a list, by metric and estimator; null if the log has too few purchases. */
  values: { clicks: Record<Estimator, ComparedValues>; purchases: Record<Estimator, ComparedValues> | null };
  /** Number of lists shown by the policy itself that would tell as much as the log does. */
  effectiveLists: number;
  /** Estimated share (0 to 1) of the policy's positions that products take which the log never shows. */
  outside: number;
  /** Probability that users look at a position, relative to the first: positions 1 to 10. */
  examined: number[];
}

/** Sums that tell enough for an estimate. */
export const overlapLimits = {
  minLists: 200,
  minGroups: 20,
  minEffectiveLists: 100,
  /** Outcomes that the effective lists have, by the estimates. */
  minOutcomes: 30,
  maxOutside: 0.1,
} as const;

/** Positions whose examination must be plausible: at least 1 / k ** 2, at most this. */
const maxExamined = 2;

/**
 * Standard error of the exponent by which the fitted examination may be wrong, since scores do not explain all of what
 * attracts: the examination of position k by a factor of k ** 0.05. It is about that of simulated models which miss much.
 */
const examinationError = 0.05;

/** Deviation of single positions around the curve that the scores tell, before drawn lists are seen. */
const positionError = 0.02;

/** What lists whose order was drawn say of the examination that the scores tell. */
interface Correction {
  /** Factors by range. */
  factors: Float64Array;
  /** Standard error of the exponent that is left. */
  error: number;
}

/**
 * Returns by which factors drawn lists correct an examination. The more of them there are, the less is left of the error that
 * scores may make.
 */
function correctionBy(drawn: PositionCells | undefined, { examined }: ClickModel): Correction {
  if (drawn === undefined || drawn.drawnLists === 0)
    return { factors: new Float64Array(rangeCount).fill(1), error: examinationError };
  const fitted = fitExamination(drawn, {
    curve: [...examined],
    ...{ steepnessDeviation: examinationError, positionDeviation: positionError },
  });
  // The error at the tenth position, as one of the exponent.
  const error = Math.sqrt(Math.max(0, fitted.errors[9] ** 2 - positionError ** 2)) / Math.log(10);
  return {
    factors: fitted.examined.map((each, range) => each / examined[range]),
    error: Math.min(examinationError, error),
  };
}

/** Estimates from sums, and from the sums without one group of users each. */
interface Fits {
  total: GroupSums;
  error: number;
  examination: ClickModel;
  values: PolicyValues;
  without: { examination: ClickModel; values: PolicyValues }[];
}

function fitAll(sums: ListSums, drawn?: PositionCells): Fits {
  const total = sums.total();
  const byScores = fitClickModel(total);
  const { factors, error } = correctionBy(drawn, byScores);
  const corrected = (of: GroupSums, model: ClickModel) => {
    const examination = correctedModel(of, model, (range) => factors[range]);
    return { examination, values: valuesOf(of, examination) };
  };
  return {
    ...{ total, error, ...corrected(total, byScores) },
    without: sums.groups().map((group) => {
      const of = sums.total(group);
      return corrected(of, fitClickModel(of, byScores));
    }),
  };
}

/**
 * Returns what a log says of a policy; else why it does not tell, in sentences.
 *
 * Products keep the probability of an outcome when they are looked at, and positions that of being looked at (the
 * position-based model). So an outcome at a logged position counts for the policy's position by the ratio of their
 * examinations, divided by the propensity (the estimator of Li and others, "Offline evaluation of ranking policies with
 * click models", KDD 2018).
 *
 * - `snips`: the weighted outcomes divided by the weighted examinations, times the examinations of the policy's lists
 *   (self-normalized, Swaminathan and Joachims, NeurIPS 2015).
 * - `doublyRobust`: the value by the attraction of each product's bin, corrected by the weighted errors of the products
 *   that were shown (Dudík, Langford and Li, ICML 2011; for positions, Kiyohara and others, WSDM 2022).
 *
 * The interval is that of a jackknife over groups of users, which fits the examination again for each group left out, and of
 * an error of the examination ({@link examinationError}) that only `drawn` makes smaller: counts that have lists whose order
 * was drawn. Such lists tell how often users look at positions, and take no other part.
 */
export function estimateOffPolicy(
  sums: ListSums,
  drawn?: PositionCells,
): OffPolicyEstimate | { refusals: string[] } {
  const { minLists, minGroups, minEffectiveLists, minOutcomes, maxOutside } = overlapLimits;
  const { lists } = sums.total();
  const groups = sums.groups().length;
  const refusals: string[] = [];
  if (lists < minLists)
    refusals.push(`lists: the log has ${lists} lists that can be evaluated; ${minLists} are needed`);
  if (groups < minGroups)
    refusals.push(`users: the lists are of too few users: of ${groups} groups, and ${minGroups} are needed`);
  if (refusals.length > 0) return { refusals };
  const fits = fitAll(sums, drawn);
  const { total, examination } = fits;
  const { outside } = total;
  const metrics = byName(outcomeMetrics, (metric) => {
    const variances = expectedVariances(sums, examination, metric, total.weight);
    const value = expectedOutcomes(total, examination, metric);
    // Kish's effective sample size ("Survey sampling", 1965): as many lists of the policy have the same variance.
    const effective = variances.target === 0 ? 0 : value / variances.target;
    return { variances, effective, outcomes: effective * value };
  });
  const { effective, outcomes } = metrics.clicks;
  const implausible = implausibleExamination(fits);
  if (implausible) refusals.push(implausible);
  if (effective < minEffectiveLists || outcomes < minOutcomes)
    refusals.push(
      `overlap: the log tells as much as ${Math.floor(effective)} lists of this policy with ${Math.floor(outcomes)} clicks would; ${minEffectiveLists} lists with ${minOutcomes} clicks are needed, so explore more or evaluate more days`,
    );
  if (outside > maxOutside)
    refusals.push(
      `overlap: about ${Math.round(100 * Math.min(1, outside))}% of what this policy shows was never shown; at most ${100 * maxOutside}% is evaluated, so try an experiment`,
    );
  if (refusals.length > 0) return { refusals };
  const bounds = [-fits.error, fits.error].map((error) =>
    valuesOf(
      total,
      correctedModel(total, examination, (range) => rangeStarts[range] ** error),
    ),
  );
  const compared = (metric: OutcomeMetric, estimator: Estimator): ComparedValues =>
    byName(comparedValueNames, (name) => {
      const pick = (values: PolicyValues): number => {
        const { current, target } = values[metric][estimator];
        return name === "difference" ? target - current : values[metric][estimator][name];
      };
      const [low, high] = bounds.map(pick);
      return jackknife(
        pick(fits.values),
        fits.without.map(({ values }) => pick(values)),
        { otherVariance: ((high - low) / 2) ** 2, minVariance: metrics[metric].variances[name] },
      );
    });
  return {
    lists,
    values: {
      clicks: byName(estimators, (name) => compared("clicks", name)),
      purchases:
        metrics.purchases.outcomes < minOutcomes
          ? null
          : byName(estimators, (name) => compared("purchases", name)),
    },
    effectiveLists: effective,
    outside,
    examined: [...examination.examined.slice(0, 10)],
  };
}

/** Returns a sentence if the examination of one of the first ten positions is certainly out of its limits. */
function implausibleExamination({ examination, without }: Fits): string | undefined {
  for (let range = 1; range < 10; range++) {
    const { estimate, low, high } = jackknife(
      examination.examined[range],
      without.map(({ examination: { examined } }) => examined[range]),
    );
    if (high < 1 / (range + 1) ** 2 || low > maxExamined)
      return `examination: by the log, users look at position ${range + 1} ${estimate.toFixed(3)} times as often as at the first; so its scores do not explain its clicks`;
  }
  return undefined;
}

const byName = <K extends string, V>(names: readonly K[], of: (name: K) => V): Record<K, V> =>
  Object.fromEntries(names.map((name) => [name, of(name)])) as Record<K, V>;

/** Outcomes of a list by metric, estimator and policy. */
type PolicyValues = Record<OutcomeMetric, Record<Estimator, Record<ComparedPolicy, number>>>;

function valuesOf(sums: GroupSums, examination: ClickModel): PolicyValues {
  return byName(outcomeMetrics, (metric) => {
    const current = policyValue(sums, examination, "current", metric);
    const target = policyValue(sums, examination, "target", metric);
    return byName(estimators, (name) => ({ current: current[name], target: target[name] }));
  });
}

/** Returns the outcomes of a list that a policy shows, by each estimator. */
function policyValue(
  sums: GroupSums,
  { examined, attraction }: ClickModel,
  policy: ComparedPolicy,
  metric: OutcomeMetric,
): Record<Estimator, number> {
  const wanted = sums.wanted(policy);
  const weighted = sums.weighted(policy);
  const moved = sums.moved(policy, metric);
  let looksWanted = 0;
  let looksWeighted = 0;
  let predicted = 0;
  let predictedShown = 0;
  let came = 0;
  for (let range = 0; range < rangeCount; range++) {
    for (let bin = 0; bin < binCount; bin++) {
      const cell = range * binCount + bin;
      looksWanted += wanted[cell] * examined[range];
      looksWeighted += weighted[cell] * examined[range];
      predicted += wanted[cell] * examined[range] * attraction[metric][bin];
      predictedShown += weighted[cell] * examined[range] * attraction[metric][bin];
    }
    for (let logged = 0; logged < rangeCount; logged++)
      came += (moved[logged * rangeCount + range] * examined[range]) / examined[logged];
  }
  const lists = sums.weight || 1;
  return {
    snips: looksWeighted === 0 ? 0 : ((came / looksWeighted) * looksWanted) / lists,
    doublyRobust: (predicted + came - predictedShown) / lists,
  };
}

/**
 * Returns the variances of the outcomes of a list that the fitted model expects of the estimates, where outcomes are
 * Poisson. An outcome counts by the ratio of two examinations divided by its propensity, and comes with the examination
 * of the logged position: so products that were shown far down tell little of the first positions.
 */
function expectedVariances(
  { spread }: ListSums,
  { examined, attraction }: ClickModel,
  metric: OutcomeMetric,
  weight: number,
): Record<keyof ComparedValues, number> {
  const attracts = attraction[metric];
  let [current, target, difference] = [0, 0, 0];
  for (let logged = 0; logged < rangeCount; logged++) {
    for (let bin = 0; bin < binCount; bin++) {
      const looks = examined[logged] * attracts[bin];
      current += spread.current[logged * binCount + bin] * looks;
      difference += spread.dropped[logged * binCount + bin] * looks;
    }
    for (let range = 0; range < rangeCount; range++) {
      const factor = examined[range] / examined[logged];
      for (let bin = 0; bin < binCount; bin++) {
        const at = (logged * rangeCount + range) * binCount + bin;
        const looks = examined[logged] * attracts[bin];
        target += (spread.kept[at] + spread.added[at]) * factor ** 2 * looks;
        difference += (spread.kept[at] * (factor - 1) ** 2 + spread.added[at] * factor ** 2) * looks;
      }
    }
  }
  const squared = weight ** 2;
  return { current: current / squared, target: target / squared, difference: difference / squared };
}

/** Returns the outcomes of a list that the fitted model expects of the policy in question. */
function expectedOutcomes(
  sums: GroupSums,
  { examined, attraction }: ClickModel,
  metric: OutcomeMetric,
): number {
  const wanted = sums.wanted("target");
  let outcomes = 0;
  for (let range = 0; range < rangeCount; range++)
    for (let bin = 0; bin < binCount; bin++)
      outcomes += wanted[range * binCount + bin] * examined[range] * attraction[metric][bin];
  return outcomes / (sums.weight || 1);
}

/**
 * Returns the interval of an estimate from the estimates without one group each, by Student's distribution (Efron and
 * Stein, Annals of Statistics 9(3), 1981). Their variance is at least `minVariance`: where few outcomes count much, a log
 * without them shows too little. `otherVariance` is added.
 */
function jackknife(
  estimate: number,
  without: readonly number[],
  { otherVariance = 0, minVariance = 0 } = {},
): Estimate {
  const n = without.length;
  const mean = without.reduce((sum, each) => sum + each, 0) / n;
  const variance = ((n - 1) / n) * without.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const half = studentQuantile(n - 1) * Math.sqrt(Math.max(variance, minVariance) + otherVariance);
  return { estimate, low: estimate - half, high: estimate + half };
}

/** Returns the 97.5% quantile of Student's distribution, by its expansion in 1 / degrees of freedom. */
function studentQuantile(degrees: number): number {
  const z = 1.959964;
  return z + (z ** 3 + z) / (4 * degrees) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2);
}
