import { unitVectors } from "../../shared/geo/sphere.ts";
import type { Columns } from "./columns.ts";

const cachedVectors = new WeakMap<Columns, Float64Array>();

/**
 * Returns the unit vectors of a block's rows: three numbers each, NaN for a row without a location. Cached per block.
 */
export function rowVectorsOf(columns: Columns): Float64Array {
  let vectors = cachedVectors.get(columns);
  if (!vectors) {
    vectors = unitVectors(columns.lat, columns.lon, columns.count);
    cachedVectors.set(columns, vectors);
  }
  return vectors;
}
