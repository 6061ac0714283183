import { type Gradual, runToEnd } from "../gradual.ts";
import type { Parameters } from "../network/parameters.ts";

/** A head's logit z becomes slope * z + offset. */
export interface Platt {
  slope: number;
  offset: number;
}

/** Logits of rows that people saw, what came of them (0 or 1), and what each counts. */
export interface Judged {
  logit: number;
  outcome: number;
  weight: number;
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const iterations = 50;
/** Strength with which slope and offset are held at 1 and 0: where little is known, little changes. */
const prior = 1;
/** The order of a head is never turned around. */
const minSlope = 0.05;

/**
 * Platt scaling (J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999), fitted by Newton's method with a
 * weak prior at the identity. Nothing judged: the identity.
 */
export const fitPlatt = (rows: readonly Judged[]): Platt => runToEnd(fitPlattGradually(rows));

/** {@link fitPlatt}, with a pause before each iteration: 30,000 rows take about 1 ms of one core. */
export function* fitPlattGradually(rows: readonly Judged[]): Gradual<Platt> {
  let slope = 1;
  let offset = 0;
  for (let i = 0; i < iterations; i++) {
    yield;
    let gs = prior * (slope - 1);
    let go = prior * offset;
    let hss = prior;
    let hso = 0;
    let hoo = prior;
    for (const { logit, outcome, weight } of rows) {
      const p = sigmoid(slope * logit + offset);
      const error = weight * (p - outcome);
      const curve = weight * p * (1 - p);
      gs += error * logit;
      go += error;
      hss += curve * logit * logit;
      hso += curve * logit;
      hoo += curve;
    }
    const determinant = hss * hoo - hso * hso;
    if (!(determinant > 1e-9)) break;
    const ds = (hoo * gs - hso * go) / determinant;
    const d = (hss * go - hso * gs) / determinant;
    // Newton may leap where the curve is flat.
    const most = Math.max(Math.abs(ds), Math.abs(d), 1);
    slope -= ds / most;
    offset -= d / most;
    if (Math.abs(ds) + Math.abs(d) < 1e-8) break;
  }
  return { slope: Math.max(minSlope, slope), offset };
}

const bins = 10;

/**
 * Expected calibration error: rows in ten bins of equal weight by probability, mean distance of what was said from what came
 * (Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015; equal mass). NaN for none.
 */
export function calibrationError(rows: readonly Judged[], { slope, offset }: Platt): number {
  const total = rows.reduce((sum, { weight }) => sum + weight, 0);
  const ordered = rows
    .map(({ logit, outcome, weight }) => ({ p: sigmoid(slope * logit + offset), outcome, weight }))
    .sort((a, b) => a.p - b.p);
  let error = 0;
  let said = 0;
  let came = 0;
  let mass = 0;
  for (const [i, { p, outcome, weight }] of ordered.entries()) {
    said += weight * p;
    came += weight * outcome;
    mass += weight;
    if (mass >= total / bins || i === ordered.length - 1) {
      error += Math.abs(said - came);
      said = came = mass = 0;
    }
  }
  return error / total;
}

/** Writes the scaling of both heads into the weights themselves, in place: the exported file is calibrated. */
export function foldInto(parameters: Parameters, heads: readonly [engage: Platt, purchase: Platt]): void {
  for (const name of ["heads.deep.w", "heads.wide.w", "heads.b"]) {
    const parameter = parameters.get(name);
    if (!parameter) throw new Error(`no parameter is named ${name}`);
    const { data, columns } = parameter;
    for (let i = 0; i < data.length; i++) {
      const { slope, offset } = heads[i % columns];
      data[i] = slope * data[i] + (name === "heads.b" ? offset : 0);
    }
  }
}
