import { earthRadiusKm } from "./distance.ts";

const radians = Math.PI / 180;

/** Unit vectors of points in WGS84 degrees, three numbers each; NaN where a coordinate is. */
export function unitVectors(lat: ArrayLike<number>, lon: ArrayLike<number>, count: number): Float64Array {
  const vectors = new Float64Array(3 * count);
  for (let i = 0; i < count; i++) {
    const cosLat = Math.cos(lat[i] * radians);
    vectors[3 * i] = cosLat * Math.cos(lon[i] * radians);
    vectors[3 * i + 1] = cosLat * Math.sin(lon[i] * radians);
    vectors[3 * i + 2] = Math.sin(lat[i] * radians);
  }
  return vectors;
}

/**
 * Great-circle distance in km between point `i` of `a` and point `j` of `b`, both as {@link unitVectors}: twice the arc
 * sine of half the chord, which needs one square root and one arc sine.
 */
export function vectorDistanceKm(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const x = a[3 * i] - b[3 * j];
  const y = a[3 * i + 1] - b[3 * j + 1];
  const z = a[3 * i + 2] - b[3 * j + 2];
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / 2));
}
