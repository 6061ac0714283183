import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage, WeightedPoint } from "../../shared/contracts/retrieval.ts";
import { earthRadiusKm } from "../../shared/geo/distance.ts";
import {
  kmOfSquaredChord,
  squaredChord,
  squaredChordOfKm,
  unitVectors,
  vectorDistanceKm,
} from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import { capOfRows } from "../tiles/bounding-cap.ts";
import { affinitiesIn } from "./category-affinity.ts";
import { placelessDistanceKm, productScores, proximity } from "./first-stage.ts";
import { logScoreAtDistance, usualReachKm } from "./reach.ts";

/** Bytes per row that are cached with a scored block: unit vector, product score and index of the category. */
export const cachedBytesPerRow = 3 * 8 + 4 + 2;

const squaredReach = squaredChordOfKm(usualReachKm);
/** A first-stage score below that of nearly every product within reach. */
const floorScore = -30;

/** Weighted points from which proximity is measured: the user's location, and their usual places. */
export interface ProximityPoints {
  count: number;
  /** Unit vectors. */
  at: Float64Array;
  weights: Float64Array;
}

/** Returns the points from which a user's proximity is measured; null for a user without a known location. */
export function proximityPointsOf(
  point: Point | null,
  usual: readonly WeightedPoint[],
  weights: FirstStage,
): ProximityPoints | null {
  const points: WeightedPoint[] = [
    ...(point ? [{ ...point, weight: 1 }] : []),
    ...usual.map((place) => ({ ...place, weight: place.weight * weights.usual })),
  ].filter(({ weight }) => weight > 0);
  if (points.length === 0) return null;
  const lat = points.map((each) => each.lat);
  const lon = points.map((each) => each.lon);
  return {
    count: points.length,
    at: unitVectors(lat, lon, points.length),
    weights: Float64Array.from(points, (each) => each.weight),
  };
}

/**
 * Returns the weighted sum of the proximity of a row to each point. A row without a location counts as
 * {@link placelessDistanceKm} away from each.
 */
export function proximityOf(points: ProximityPoints, vectors: Float64Array, row: number): number {
  const x = vectors[3 * row];
  const y = vectors[3 * row + 1];
  const z = vectors[3 * row + 2];
  let sum = 0;
  if (Number.isNaN(x)) {
    for (let j = 0; j < points.count; j++) sum += points.weights[j];
    return sum * proximity(placelessDistanceKm);
  }
  for (let j = 0; j < points.count; j++) {
    const dx = x - points.at[3 * j];
    const dy = y - points.at[3 * j + 1];
    const dz = z - points.at[3 * j + 2];
    // The chord approximates the arc at short distances, and grows with it at all distances.
    sum += points.weights[j] * proximity(earthRadiusKm * Math.sqrt(dx * dx + dy * dy + dz * dz));
  }
  return sum;
}

const cachedCaps = new WeakMap<Columns, { center: Float64Array; radiusKm: number }>();

/** Returns whether all rows of a block are within the usual reach of a point. The block's cap is cached. */
function isWithinReach(columns: Columns, here: Float64Array): boolean {
  let cap = cachedCaps.get(columns);
  if (!cap) {
    const { lat, lon, radiusKm } = capOfRows(columns);
    cap = { center: unitVectors([lat], [lon], 1), radiusKm };
    cachedCaps.set(columns, cap);
  }
  return vectorDistanceKm(here, 0, cap.center, 0) + cap.radiusKm < usualReachKm;
}

/**
 * Lowers the first-stage scores in `out` of the rows beyond the usual reach of the user, whose unit vector is `here`, by
 * the term for distance.
 */
export function applyDistanceTerm(columns: Columns, here: Float64Array, out: Float64Array): void {
  if (isWithinReach(columns, here)) return;
  const vectors = rowVectorsOf(columns);
  for (let row = 0; row < columns.count; row++) {
    const squared = squaredChord(here, 0, vectors, row);
    // The chord of a row without a location is NaN: it counts as near.
    if (squared > squaredReach)
      out[row] = logScoreAtDistance(out[row], kmOfSquaredChord(squared), floorScore);
  }
}

/**
 * Writes the first-stage scores of all rows of a block to `out`. Without points, proximity does not count. What fewer
 * than `minUsers` users did does not count.
 */
export function scoreRows(
  columns: Columns,
  points: ProximityPoints | null,
  affinities: ReadonlyMap<string, number>,
  weights: FirstStage,
  minUsers: number,
  out: Float64Array,
): void {
  const scores = productScores(columns, weights, minUsers);
  const vectors = rowVectorsOf(columns);
  const { categoryOfRow, affinityOfCategory } = affinitiesIn(columns, affinities);
  for (let row = 0; row < columns.count; row++) {
    const near = points ? weights.near * Math.log(proximityOf(points, vectors, row)) : 0;
    out[row] = scores[row] + affinityOfCategory[categoryOfRow[row]] + near;
  }
}
