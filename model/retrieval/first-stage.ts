import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Columns } from "../columns/columns.ts";

/** Where no model says otherwise: what is popular and near, of their categories, at their hours, and not blind to what is new. */
export const defaultFirstStage: FirstStage = {
  people: 0.7,
  hot: 0.3,
  fresh: 0.7,
  near: 1,
  usual: 1,
  category: 0.3,
  hour: 0.3,
};

/** Scale in km below which nearer is no better, and how proximity falls beyond it. */
const scaleKm = 0.2;
/** A product without a place counts as so far away, in km. */
export const placelessKm = 3;

/**
 * Proximity at a distance: (scale + km)^-1.5. Distances between what people do next fall as a power law (exponent 1.59:
 * Brockmann et al., "The Scaling Laws of Human Travel", Nature 439, 2006; 1.75: Gonzalez et al., Nature 453, 2008).
 */
export function proximity(km: number): number {
  const d = scaleKm + km;
  return 1 / (d * Math.sqrt(d));
}

/** The inputs of the score that do not depend on where the person is, in the order of {@link priorOf}. */
export function priorInputs(columns: Columns, row: number): [people: number, hot: number, fresh: number] {
  const people = columns.counts[row * 6 + 5];
  const engagement = columns.hot[row * 3 + 1] + 0.5 * columns.hot[row * 3 + 2];
  return [Math.log1p(people), Math.log1p(engagement), people === 0 ? 1 : 0];
}

const priors = new WeakMap<Columns, { weights: FirstStage; prior: Float32Array }>();

/** The part of the score that does not depend on where the person is, for all rows of a block, remembered with it. */
export function priorOf(columns: Columns, weights: FirstStage): Float32Array {
  const known = priors.get(columns);
  if (known && sameWeights(known.weights, weights)) return known.prior;
  const prior = new Float32Array(columns.count);
  for (let row = 0; row < columns.count; row++) {
    const [people, hot, fresh] = priorInputs(columns, row);
    prior[row] = weights.people * people + weights.hot * hot + weights.fresh * fresh;
  }
  priors.set(columns, { weights, prior });
  return prior;
}

const sameWeights = (a: FirstStage, b: FirstStage): boolean =>
  a.people === b.people && a.hot === b.hot && a.fresh === b.fresh;
