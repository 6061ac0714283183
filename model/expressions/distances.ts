import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";

/** Returns the distances of all products of a block in km, by row; NaN for a product without a location. */
export type Distances = (columns: Columns) => Float64Array;

/**
 * Returns the distances from a point, which it remembers: the conditions of one request share them. A search does not need
 * it, since it has one expression, and would remember distances of many rows that other tests leave out.
 */
export function rememberDistances({ lat, lon }: Point): Distances {
  const known = new Map<Columns, Float64Array>();
  return (columns) => {
    let distances = known.get(columns);
    if (!distances) {
      distances = new Float64Array(columns.count);
      for (let row = 0; row < columns.count; row++)
        distances[row] = distanceKm(lat, lon, columns.lat[row], columns.lon[row]);
      known.set(columns, distances);
    }
    return distances;
  };
}
