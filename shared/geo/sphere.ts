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

/** Up to this sine (about 1,000 km) the arc sine is its series, which is as exact and a fifth of the work. */
const seriesUpTo = 0.08;

/** Arc sine of `x` in 0..1: for small ones the Taylor series to x^11 (the next term is below 2e-16 of the whole). */
function arcSine(x: number): number {
  if (x > seriesUpTo) return Math.asin(Math.min(1, x));
  const s = x * x;
  return x * (1 + s * (1 / 6 + s * (3 / 40 + s * (15 / 336 + s * (105 / 3456 + s * (945 / 42_240))))));
}

/** Square of the chord between point `i` of `a` and point `j` of `b`, both as {@link unitVectors}: it orders as the distance does. */
export function squaredChord(a: Float64Array, i: number, b: Float64Array, j: number): number {
  const x = a[3 * i] - b[3 * j];
  const y = a[3 * i + 1] - b[3 * j + 1];
  const z = a[3 * i + 2] - b[3 * j + 2];
  return x * x + y * y + z * z;
}

/** Great-circle distance in km by {@link squaredChord}: twice the arc sine of half the chord. */
export const kmOfSquaredChord = (squared: number): number =>
  2 * earthRadiusKm * arcSine(Math.sqrt(squared) / 2);

/** The other way. */
export const squaredChordOfKm = (km: number): number => (2 * Math.sin(km / earthRadiusKm / 2)) ** 2;

/** Great-circle distance in km between point `i` of `a` and point `j` of `b`, both as {@link unitVectors}. */
export const vectorDistanceKm = (a: Float64Array, i: number, b: Float64Array, j: number): number =>
  kmOfSquaredChord(squaredChord(a, i, b, j));
