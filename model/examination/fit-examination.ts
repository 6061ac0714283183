import { solvePositive } from "../statistics/solve-positive.ts";
import type { Examination } from "./examination.ts";
import { groupCount, type PositionCells } from "./position-cells.ts";
import { rangeCount, rangeStarts } from "./position-ranges.ts";

/** What is expected of an examination before drawn lists are seen. */
export interface ExaminationPrior {
  /** Examination by range of positions; 1 for the first. */
  curve: readonly number[];
  /** Standard deviation of the exponent by which the curve may be steeper, and of each position around the curve. */
  steepnessDeviation: number;
  positionDeviation: number;
}

/**
 * What is expected of a shop: the discount of NDCG. Curves of shops differ mostly in how steep they are, so the prior is wide
 * in the direction of the logarithm of the position, and narrow for single positions.
 */
const usualPrior: ExaminationPrior = {
  curve: rangeStarts.map((position) => 1 / Math.log2(position + 1)),
  ...{ steepnessDeviation: 0.5, positionDeviation: 0.1 },
};
const maxIterations = 30;

/** Positions whose examination is fitted: all ranges but the first, whose examination is 1. */
const free = rangeCount - 1;
const logPositions = rangeStarts.slice(1).map(Math.log);

/**
 * Fits how often positions are looked at. A product is engaged with if its position is looked at, times its attraction,
 * which depends on its rank and on the length of its list (position-based model: Richardson, Dominowska and Ragno, WWW
 * 2007). Given the engagements of a rank, their share at a position is that of the products shown there, times the
 * examination: a conditional logit, in which the attraction drops out. Only lists whose order was drawn show a rank at
 * several positions, so chance alone tells examination and attraction apart, not scores. Newton's method
 * finds the maximum of the posterior, which is concave.
 */
export function fitExamination(cells: PositionCells, prior: ExaminationPrior = usualPrior): Examination {
  const beta = prior.curve.slice(1).map(Math.log);
  const mean = [...beta];
  const precision = precisionOf(prior);
  let hessian = precision;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const gradient = new Float64Array(free);
    hessian = precision.map((row) => row.slice());
    for (let i = 0; i < free; i++)
      for (let j = 0; j < free; j++) gradient[i] -= precision[i][j] * (beta[j] - mean[j]);
    for (let group = 0; group < groupCount; group++) addGroup(cells.group(group), beta, gradient, hessian);
    const step = solvePositive(hessian, gradient);
    // Limit each step to 1: Newton's method overshoots where the curve is flat.
    const shrink = Math.max(1, ...step.map(Math.abs));
    for (let i = 0; i < free; i++) beta[i] += step[i] / shrink;
    if (step.every((each) => Math.abs(each) < 1e-8)) break;
  }
  const errors = new Float64Array(rangeCount);
  for (let i = 0; i < free; i++) {
    const unit = Float64Array.from({ length: free }, (_, j) => (i === j ? 1 : 0));
    errors[i + 1] = Math.sqrt(solvePositive(hessian, unit)[i]);
  }
  return { examined: Float64Array.of(1, ...beta.map(Math.exp)), errors };
}

/** Adds the gradient of a group's conditional likelihood, and minus its second derivatives. */
function addGroup(
  { shown, engaged }: ReturnType<PositionCells["group"]>,
  beta: readonly number[],
  gradient: Float64Array,
  hessian: Float64Array[],
): void {
  const all = engaged.reduce((sum, each) => sum + each, 0);
  if (all === 0) return;
  const looks = Array.from(shown, (count, range) => count * Math.exp(range === 0 ? 0 : beta[range - 1]));
  const sum = looks.reduce((total, each) => total + each, 0);
  const shares = looks.map((each) => each / sum);
  for (let i = 0; i < free; i++) {
    gradient[i] += engaged[i + 1] - all * shares[i + 1];
    for (let j = 0; j < free; j++)
      hessian[i][j] += all * ((i === j ? shares[i + 1] : 0) - shares[i + 1] * shares[j + 1]);
  }
}

/** Returns the inverse of the prior's covariance, by the formula of Sherman and Morrison. */
function precisionOf({ steepnessDeviation, positionDeviation }: ExaminationPrior): Float64Array[] {
  const own = 1 / positionDeviation ** 2;
  const along = logPositions.reduce((sum, each) => sum + each * each, 0);
  const common = (steepnessDeviation ** 2 * own * own) / (1 + steepnessDeviation ** 2 * own * along);
  return logPositions.map((a, i) =>
    Float64Array.from(logPositions, (b, j) => (i === j ? own : 0) - common * a * b),
  );
}
