import type { Parameters } from "../network/parameters.ts";
import { type PausableWork, runWithoutPauses } from "../pausable-work.ts";
import { sigmoid } from "../sigmoid.ts";
import { outcomeLoss } from "../train/loss.ts";

/** The calibration of one head: logit z becomes slope * z + offset. */
export interface PlattScaling {
  slope: number;
  offset: number;
}

/** The logit of one row that a user saw, its outcome (0 or 1) and its weight. */
export interface LabeledLogit {
  logit: number;
  outcome: number;
  weight: number;
  /**
   * Probability that the user looked at the row, relative to the first position; 1 if absent. The logit is that of an outcome
   * of a row that is looked at.
   */
  examined?: number;
}

/** Returns the probability of looking at a row: positions that are looked at more often than the first one count like it. */
const looksAt = ({ examined = 1 }: LabeledLogit): number => Math.min(1, examined);

/** Largest number of iterations of Newton's method. */
const maxIterations = 50;
/** Strength of the prior at slope 1 and offset 0: with few outcomes, the scaling stays near the identity. */
const priorStrength = 1;
/** Smallest probability in a log loss, which keeps its logarithm finite. */
const minProbability = 1e-12;
/** A positive lower bound, so that the scaling never reverses the order of the rows. */
const minSlope = 0.05;

/**
 * Returns the Platt scaling (J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999) of the rows, fitted
 * by Newton's method with a weak prior at the identity. Without rows, returns the identity.
 */
export const fitPlatt = (rows: readonly LabeledLogit[]): PlattScaling =>
  runWithoutPauses(fitPlattPausable(rows));

/** Like {@link fitPlatt}, with a pause before each iteration: 30,000 rows take about 1 ms of CPU time. */
export function* fitPlattPausable(rows: readonly LabeledLogit[]): PausableWork<PlattScaling> {
  let slope = 1;
  let offset = 0;
  for (let i = 0; i < maxIterations; i++) {
    yield;
    // Gradient (g) and Hessian (h) of the loss with respect to slope (s) and offset (o).
    let gs = priorStrength * (slope - 1);
    let go = priorStrength * offset;
    let hss = priorStrength;
    let hso = 0;
    let hoo = priorStrength;
    for (const row of rows) {
      const { logit, outcome, weight } = row;
      const z = slope * logit + offset;
      const looks = looksAt(row);
      const p = sigmoid(z);
      const error = weight * outcomeLoss(z, outcome, looks).slope;
      // The expected second derivative (Fisher's scoring), which is positive.
      const curve = (weight * looks * p * (1 - p) ** 2) / Math.max(minProbability, 1 - looks * p);
      gs += error * logit;
      go += error;
      hss += curve * logit * logit;
      hso += curve * logit;
      hoo += curve;
    }
    const determinant = hss * hoo - hso * hso;
    if (!(determinant > 1e-9)) break;
    const slopeStep = (hoo * gs - hso * go) / determinant;
    const offsetStep = (hss * go - hso * gs) / determinant;
    // Limit each step to 1: Newton's method overshoots where the curve is flat.
    const shrink = Math.max(Math.abs(slopeStep), Math.abs(offsetStep), 1);
    slope -= slopeStep / shrink;
    offset -= offsetStep / shrink;
    if (Math.abs(slopeStep) + Math.abs(offsetStep) < 1e-8) break;
  }
  return { slope: Math.max(minSlope, slope), offset };
}

const bins = 10;

/**
 * Returns the expected calibration error: the mean absolute difference between predicted probability and observed rate,
 * over ten bins of equal weight by probability (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian
 * Binning", AAAI 2015). NaN without rows.
 */
export function calibrationError(rows: readonly LabeledLogit[], { slope, offset }: PlattScaling): number {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  const ordered = rows
    .map((row) => ({ ...row, p: looksAt(row) * sigmoid(slope * row.logit + offset) }))
    .sort((a, b) => a.p - b.p);
  let error = 0;
  let predicted = 0;
  let observed = 0;
  let mass = 0;
  for (const [i, { p, outcome, weight }] of ordered.entries()) {
    predicted += weight * p;
    observed += weight * outcome;
    mass += weight;
    if (mass >= total / bins || i === ordered.length - 1) {
      error += Math.abs(predicted - observed);
      predicted = observed = mass = 0;
    }
  }
  return error / total;
}

/** How well the probabilities of a head fit what came. */
export interface CalibrationFigures {
  /** Expected calibration error: see {@link calibrationError}. */
  error: number;
  /** Outcomes that were expected, for each that came. */
  ratio: number;
  /** Mean log loss of a row, and that of one rate for all rows that are looked at. In nats. */
  logLoss: number;
  baseLogLoss: number;
  /** Rows with an outcome, without their weights. */
  positives: number;
}

const crossEntropy = (p: number, outcome: number): number =>
  -outcome * Math.log(Math.max(minProbability, p)) -
  (1 - outcome) * Math.log(Math.max(minProbability, 1 - p));

/** Returns the figures of calibrated logits; null without a row with an outcome. */
export function calibrationFigures(rows: readonly LabeledLogit[]): CalibrationFigures | null {
  let mass = 0;
  let expected = 0;
  let came = 0;
  let loss = 0;
  let positives = 0;
  let looksMass = 0;
  for (const row of rows) {
    const { logit, outcome, weight } = row;
    const p = looksAt(row) * sigmoid(logit);
    looksMass += weight * looksAt(row);
    mass += weight;
    expected += weight * p;
    came += weight * outcome;
    loss += weight * crossEntropy(p, outcome);
    if (outcome > 0) positives++;
  }
  if (positives === 0) return null;
  const rate = came / looksMass;
  const baseLoss = rows.reduce(
    (sum, row) => sum + row.weight * crossEntropy(Math.min(1, looksAt(row) * rate), row.outcome),
    0,
  );
  return {
    error: calibrationError(rows, { slope: 1, offset: 0 }),
    ratio: expected / came,
    logLoss: loss / mass,
    baseLogLoss: baseLoss / mass,
    positives,
  };
}

/** Applies the scaling of both heads to the weights, in place, so that the exported model is calibrated. */
export function applyScalingToWeights(
  parameters: Parameters,
  heads: readonly [engage: PlattScaling, purchase: PlattScaling],
): void {
  for (const name of ["heads.w", "heads.b"]) {
    const parameter = parameters.get(name);
    if (!parameter) throw new Error(`the model has no parameter \`${name}\`: it cannot be calibrated`);
    const { data, columns } = parameter;
    for (let i = 0; i < data.length; i++) {
      const { slope, offset } = heads[i % columns];
      data[i] = slope * data[i] + (name === "heads.b" ? offset : 0);
    }
  }
}
