import type { Point } from "../../shared/contracts/primitives.ts";
import type { FirstStage, WeightedPoint } from "../../shared/contracts/retrieval.ts";
import { earthRadiusKm } from "../../shared/geo/distance.ts";
import { unitVectors } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { affinityOfRows } from "./category-affinity.ts";
import { placelessKm, priorOf, proximity } from "./first-stage.ts";

/** Bytes that are remembered with each row of a block that was scanned: its unit vector, prior and category. */
export const rememberedBytesPerRow = 3 * 8 + 4 + 2;

const vectors = new WeakMap<Columns, Float64Array>();

/** Unit vectors of a block's rows, remembered with it. */
export function vectorsOf(columns: Columns): Float64Array {
  let known = vectors.get(columns);
  if (!known) {
    known = unitVectors(columns.lat, columns.lon, columns.count);
    vectors.set(columns, known);
  }
  return known;
}

/** Points from which proximity is measured: the person's, and their usual places, whose weights add up to one. */
export interface Vantage {
  count: number;
  at: Float64Array;
  weights: Float64Array;
}

/** The vantage of a person; null where nothing is known of where they are. */
export function vantageOf(
  point: Point | null,
  usual: readonly WeightedPoint[],
  weights: FirstStage,
): Vantage | null {
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

/** Proximity of row `row` to all points of a vantage, by their weights. A row without a place is in the middle distance. */
export function proximityOf(vantage: Vantage, at: Float64Array, row: number): number {
  const x = at[3 * row];
  const y = at[3 * row + 1];
  const z = at[3 * row + 2];
  let sum = 0;
  if (Number.isNaN(x)) {
    for (let j = 0; j < vantage.count; j++) sum += vantage.weights[j];
    return sum * proximity(placelessKm);
  }
  for (let j = 0; j < vantage.count; j++) {
    const dx = x - vantage.at[3 * j];
    const dy = y - vantage.at[3 * j + 1];
    const dz = z - vantage.at[3 * j + 2];
    // The chord: as good as the arc where it matters, and in the same order everywhere.
    sum += vantage.weights[j] * proximity(earthRadiusKm * Math.sqrt(dx * dx + dy * dy + dz * dz));
  }
  return sum;
}

/** Scores of all rows of a block, written to `out`. Without a vantage nearness does not count. */
export function scoreRows(
  columns: Columns,
  vantage: Vantage | null,
  affinities: ReadonlyMap<number, number>,
  weights: FirstStage,
  out: Float64Array,
): void {
  const prior = priorOf(columns, weights);
  const at = vectorsOf(columns);
  const { ofRow, leaning } = affinityOfRows(columns, affinities);
  for (let row = 0; row < columns.count; row++) {
    const near = vantage ? weights.near * Math.log(proximityOf(vantage, at, row)) : 0;
    out[row] = prior[row] + leaning[ofRow[row]] + near;
  }
}
