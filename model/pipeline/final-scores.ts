import type { Point } from "../../shared/contracts/primitives.ts";
import { kmOfSquaredChord, squaredChord, squaredChordOfKm, unitVectors } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { Scores } from "../features/batch.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { easyReachKm, logScoreAfterWay, logScoreAtDistance, placelessWayKm } from "../retrieval/reach.ts";
import { sigmoid } from "../sigmoid.ts";

/** Value of a purchase, relative to that of any interaction. */
export const purchaseValue = 2;

/** Squared chord of a distance just below {@link easyReachKm}: rounding must not hide a longer way. */
const easyReachChord = squaredChordOfKm(easyReachKm - 1e-6);
/** Logarithm of a score below that of nearly every product within reach. */
const floorLogScore = Math.log(1e-6);

/**
 * Returns the score of the model that orders the candidates: the probability of any interaction, plus
 * {@link purchaseValue} times that of a purchase.
 */
export function finalScores({ engage, purchase }: Scores): Float32Array {
  return Float32Array.from(engage, (logit, i) => sigmoid(logit) + purchaseValue * sigmoid(purchase[i]));
}

/**
 * Returns the scores that order the list: those of the model, with the terms for long ways and for distances beyond the
 * usual reach. A product without a location counts as {@link placelessWayKm} away. Without a point, the scores are those
 * of the model.
 */
export function scoresAtDistance(
  scores: Float32Array,
  candidates: readonly BlockRow[],
  point: Point | null,
): Float64Array {
  const list = new Float64Array(scores);
  const here = point && unitVectors([point.lat], [point.lon], 1);
  if (!here) return list;
  let vectorsOf: Columns | null = null;
  let vectors = here;
  for (let i = 0; i < candidates.length; i++) {
    const { block, row } = candidates[i];
    if (block !== vectorsOf) {
      vectorsOf = block;
      vectors = rowVectorsOf(block);
    }
    const squared = squaredChord(here, 0, vectors, row);
    if (squared <= easyReachChord) continue;
    const km = Number.isNaN(squared) ? placelessWayKm : kmOfSquaredChord(squared);
    if (km > easyReachKm)
      list[i] = Math.exp(logScoreAtDistance(logScoreAfterWay(Math.log(list[i]), km), km, floorLogScore));
  }
  return list;
}
