import type { Point } from "../../shared/contracts/primitives.ts";
import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { Scores } from "../features/batch.ts";
import type { BlockRow } from "../features/list-summary.ts";
import { easyReachKm, logScoreAfterWay, logScoreAtDistance, placelessWayKm } from "../retrieval/reach.ts";
import { sigmoid } from "../sigmoid.ts";

/** Value of a purchase, relative to that of any interaction. */
export const purchaseValue = 2;

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
  for (let i = 0; i < candidates.length; i++) {
    const { block, row } = candidates[i];
    const distance = vectorDistanceKm(here, 0, rowVectorsOf(block), row);
    const km = Number.isNaN(distance) ? placelessWayKm : distance;
    if (km > easyReachKm)
      list[i] = Math.exp(logScoreAtDistance(logScoreAfterWay(Math.log(list[i]), km), km, floorLogScore));
  }
  return list;
}
