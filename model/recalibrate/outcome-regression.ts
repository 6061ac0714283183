import type { PausableWork } from "../pausable-work.ts";
import { normalQuantile } from "../statistics/normal-quantile.ts";
import { solvePositive } from "../statistics/solve-positive.ts";

/** A logged candidate of a list, with the scores of both models. */
export interface RegressedRow {
  serving: number;
  candidate: number;
  /** Ranked candidates that the row stands for. */
  represents: number;
  /** Position in the list, from 1; 0 if the product was not shown. */
  position: number;
  /** How often users look at the position, relative to the first; not used if the product was not shown. */
  examined: number;
  /** What the user's outcome is worth; 0 for none. */
  gain: number;
}

/** A logged list. */
export interface RegressedList {
  weight: number;
  rows: readonly RegressedRow[];
}

/** Rows processed between two pauses: about 1 ms of CPU time. */
const rowsPerPause = 8192;
const maxIterations = 30;
/** Strength of the prior at 0 of each coefficient: with few outcomes, no difference is seen. */
const priorStrength = 1;
/** Constant, common score, difference of the scores, level of the list. */
const termCount = 4;

const discount = (position: number): number => (position <= 10 ? 1 / Math.log2(position + 1) : 0);

/** A row with its terms. Rows that were not shown tell only how scores are distributed. */
interface PreparedRow {
  terms: Float64Array;
  looks: number;
  gain: number;
}

/** A list whose shown rows are prepared for the regression. */
export interface PreparedList {
  weight: number;
  rows: readonly PreparedRow[];
}

/** What a gain is computed from, besides the coefficients. */
interface ScoreStatistics {
  /** Standard deviations of the normal scores within lists, and of their difference; their correlation. */
  serving: number;
  candidate: number;
  difference: number;
  correlation: number;
  /**
   * Mean score of what lists show, by the discount of the positions, in standard deviations: that of the model whose scores the
   * lists follow more, which made them.
   */
  selection: number;
}

/** Lists that are ready for {@link gainOf}. */
export interface PreparedLists {
  lists: PreparedList[];
  statistics: ScoreStatistics;
}

/**
 * Prepares lists: replaces the scores of each model by normal scores, so that the scales of the models do not matter (van der
 * Waerden, 1952), and finds how both are distributed among all candidates.
 */
export function* prepareLists(lists: readonly RegressedList[]): PausableWork<PreparedLists> {
  const serving = yield* normalScores(lists, (row) => row.serving);
  const candidate = yield* normalScores(lists, (row) => row.candidate);
  const sums = { serving: 0, candidate: 0, both: 0, mass: 0, byServing: 0, byCandidate: 0, discounts: 0 };
  const prepared: { weight: number; rows: readonly RegressedRow[]; at: number; level: number }[] = [];
  let at = 0;
  for (const { rows, weight } of lists) {
    let mass = 0;
    let meanServing = 0;
    let meanCandidate = 0;
    rows.forEach(({ represents }, i) => {
      mass += represents;
      meanServing += represents * serving[at + i];
      meanCandidate += represents * candidate[at + i];
    });
    meanServing /= mass;
    meanCandidate /= mass;
    rows.forEach(({ represents, position }, i) => {
      const [a, b] = [serving[at + i] - meanServing, candidate[at + i] - meanCandidate];
      sums.serving += weight * represents * a * a;
      sums.candidate += weight * represents * b * b;
      sums.both += weight * represents * a * b;
      if (position === 0) return;
      sums.byServing += weight * discount(position) * a;
      sums.byCandidate += weight * discount(position) * b;
      sums.discounts += weight * discount(position);
    });
    sums.mass += weight * mass;
    prepared.push({ weight, rows, at, level: (meanServing + meanCandidate) / 2 });
    at += rows.length;
  }
  const deviation = (sum: number): number => Math.sqrt(sum / (sums.mass || 1));
  const statistics: ScoreStatistics = {
    serving: deviation(sums.serving),
    candidate: deviation(sums.candidate),
    difference: deviation(Math.max(0, sums.serving + sums.candidate - 2 * sums.both)),
    correlation: sums.both / Math.sqrt(sums.serving * sums.candidate || 1),
    selection: Math.max(
      sums.byServing / (sums.discounts || 1) / (deviation(sums.serving) || 1),
      sums.byCandidate / (sums.discounts || 1) / (deviation(sums.candidate) || 1),
    ),
  };
  const scale = statistics.difference || 1;
  return {
    statistics,
    lists: prepared.map(({ weight, rows, at: start, level }) => ({
      weight,
      rows: rows.flatMap(({ position, examined, gain }, i) => {
        if (position === 0) return [];
        const [a, b] = [serving[start + i], candidate[start + i]];
        const terms = Float64Array.of(1, (a + b) / 2, (b - a) / scale, level);
        return [{ terms, looks: Math.min(1, examined), gain }];
      }),
    })),
  };
}

/** Returns the normal quantile of the rank of each row's score among all candidates, in the order of the rows. */
function* normalScores(
  lists: readonly RegressedList[],
  scoreOf: (row: RegressedRow) => number,
): PausableWork<Float64Array> {
  const all = lists.flatMap(({ rows, weight }) =>
    rows.map((row) => ({ score: scoreOf(row), mass: weight * row.represents })),
  );
  yield;
  const order = all.map((_, i) => i).sort((a, b) => all[a].score - all[b].score || a - b);
  yield;
  const total = all.reduce((sum, { mass }) => sum + mass, 0);
  const normal = new Float64Array(all.length);
  let below = 0;
  for (let from = 0; from < order.length; ) {
    // Equal scores have one rank.
    let tied = 0;
    let to = from;
    for (; to < order.length && all[order[to]].score === all[order[from]].score; to++)
      tied += all[order[to]].mass;
    const value = normalQuantile((below + tied / 2) / total);
    for (; from < to; from++) normal[order[from]] = value;
    below += tied;
  }
  return normal;
}

/** The gain of a candidate, and how it depends on each list. */
export interface RegressedGain {
  /** Logarithm of the factor by which the outcomes change. */
  logGain: number;
  /** For each list, a value whose mean over the lists is `logGain` and whose spread is that of the estimate. */
  pseudoValues: number[];
}

/**
 * Estimates by how much the outcomes of the positions change if a candidate ranks in place of the serving model.
 *
 * The rate of outcomes of a shown product is modeled as the examination of its position, times the exponential of a linear
 * function of both models' normal scores (a Poisson regression with an exposure). Serving's choice of what is shown depends
 * on its score, which is a term, so the choice does not bias the coefficients. If the scores are about normal among the
 * candidates, the best by one model have a mean score of `selection` deviations, and by the correlation a mean of the other
 * model's scores. So the logarithm of the gain is the difference of the coefficients per deviation, times one minus the
 * correlation, times the selection. An order is better if its score adds more to the other than the other adds to it
 * (encompassing: Chong and Hendry, Review of Economic Studies 53, 1986).
 *
 * Outcomes of shown products alone would favor the candidate: among products that the serving model chose, its errors are
 * those that put them there, and another model's errors are not.
 */
export function* gainOf(
  lists: readonly PreparedList[],
  { serving, candidate, difference, correlation, selection }: ScoreStatistics,
): PausableWork<RegressedGain> {
  let looks = 0;
  let gains = 0;
  for (const { rows, weight } of lists)
    for (const row of rows) {
      looks += weight * row.looks;
      gains += weight * row.gain;
    }
  if (gains === 0 || difference === 0) return { logGain: 0, pseudoValues: lists.map(() => 0) };
  const coefficients = Float64Array.of(Math.log(gains / looks), 0, 0, 0);
  let hessian: Float64Array[] = [];
  let scores: Float64Array[] = [];
  let read = 0;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const gradient = coefficients.map((each, i) => (i === 0 ? 0 : -priorStrength * each));
    hessian = Array.from({ length: termCount }, (_, i) =>
      Float64Array.from({ length: termCount }, (__, j) => (i === j ? (i === 0 ? 1e-9 : priorStrength) : 0)),
    );
    scores = [];
    for (const { rows, weight } of lists) {
      const score = new Float64Array(termCount);
      for (const { terms, looks: exposure, gain } of rows) {
        if (++read % rowsPerPause === 0) yield;
        const mean = exposure * Math.exp(terms.reduce((sum, each, i) => sum + each * coefficients[i], 0));
        for (let i = 0; i < termCount; i++) {
          score[i] += weight * (gain - mean) * terms[i];
          for (let j = 0; j < termCount; j++) hessian[i][j] += weight * mean * terms[i] * terms[j];
        }
      }
      for (let i = 0; i < termCount; i++) gradient[i] += score[i];
      scores.push(score);
    }
    const step = solvePositive(hessian, gradient);
    // Limit each step to 1: Newton's method overshoots where the curve is flat.
    const shrink = Math.max(1, ...step.map(Math.abs));
    for (let i = 0; i < termCount; i++) coefficients[i] += step[i] / shrink;
    if (step.every((each) => Math.abs(each) < 1e-8)) break;
  }
  // The coefficients of the two models are half of the common one, plus or minus that of the difference.
  const factor = (1 - correlation) * selection;
  const byCommon = (factor * (candidate - serving)) / 2;
  const byDifference = (factor * (candidate + serving)) / difference;
  const influence = solvePositive(hessian, Float64Array.of(0, byCommon, byDifference, 0));
  const logGain = byCommon * coefficients[1] + byDifference * coefficients[2];
  return {
    logGain,
    pseudoValues: scores.map(
      (score) => logGain + lists.length * score.reduce((sum, each, i) => sum + each * influence[i], 0),
    ),
  };
}
