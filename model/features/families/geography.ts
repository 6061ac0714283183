import { decay } from "../../../shared/geo/decay.ts";
import {
  kmOfSquaredChord,
  squaredChord,
  squaredChordOfKm,
  squaredKmOfSquaredChord,
  vectorDistanceKm,
} from "../../../shared/geo/sphere.ts";
import { fastLog, fastLog1p } from "../../../shared/math/fast-log.ts";
import { referencePointIndex } from "../ranking-context.ts";
import type { FeatureFamily } from "./feature-family.ts";

/** Bandwidths of the Gaussian kernels, in km. */
const bandwidthsKm = [0.5, 2, 8] as const;
const doubleWidestSquared = 2 * bandwidthsKm[2] * bandwidthsKm[2];
/** Smoothing of a density, so that its logarithm is finite. */
const densityPrior = 1e-3;
/** Squared chord of 60 km: beyond, the widest kernel is below 1e-12, which is nothing against {@link densityPrior}. */
const maxKernelChord = squaredChordOfKm(60);

/** Returns x^16. */
function sixteenth(x: number): number {
  const x4 = x * x * x * x;
  return x4 * x4 * x4 * x4;
}

const names = [
  "distance_known",
  "distance_log",
  "distance_within_0.3",
  "distance_within_1",
  "distance_within_4",
  "distance_within_15",
  "last_known",
  "last_distance_log",
  "last_within_1",
  "home_known",
  "home_distance_log",
  ...bandwidthsKm.map((km) => `usual_density_${km}`),
  "usual_known",
  "usual_nearest_log",
  "placed",
];
const width = names.length;

/**
 * Location of the candidate:
 * - its distance from the user, from the last choice and from home, in log and as decays at several scales;
 * - the density of the user's usual places around it (Gaussian kernels of 0.5, 2 and 8 km, in log; Lichman and Smyth,
 *   "Modeling Human Location Data with Mixtures of Kernel Densities", KDD 2014).
 */
export const geographyFeatures: FeatureFamily = {
  names,
  fill({ context, vectors }, row, _trace, out, at) {
    for (let i = 0; i < width; i++) out[at + i] = 0;
    if (Number.isNaN(vectors[3 * row])) return;
    const { referencePoints, usualPlaces } = context;
    const toPoint = vectorDistanceKm(referencePoints, referencePointIndex.point, vectors, row);
    if (toPoint >= 0) {
      out[at] = 1;
      out[at + 1] = fastLog1p(toPoint) / 2;
      out[at + 2] = decay(toPoint / 0.3);
      out[at + 3] = decay(toPoint);
      out[at + 4] = decay(toPoint / 4);
      out[at + 5] = decay(toPoint / 15);
    }
    const toLast = vectorDistanceKm(referencePoints, referencePointIndex.last, vectors, row);
    if (toLast >= 0) {
      out[at + 6] = 1;
      out[at + 7] = fastLog1p(toLast) / 2;
      out[at + 8] = decay(toLast);
    }
    const toHome = vectorDistanceKm(referencePoints, referencePointIndex.home, vectors, row);
    if (toHome >= 0) {
      out[at + 9] = 1;
      out[at + 10] = fastLog1p(toHome) / 2;
    }
    if (usualPlaces.count > 0) {
      let nearest = Number.POSITIVE_INFINITY;
      let narrow = 0;
      let middle = 0;
      let wide = 0;
      for (let i = 0; i < usualPlaces.count; i++) {
        const squared = squaredChord(usualPlaces.at, i, vectors, row);
        if (squared < nearest) nearest = squared;
        if (squared > maxKernelChord) continue;
        // Each bandwidth is a quarter of the next, so that each kernel is the sixteenth power of the next.
        const atWide = decay(squaredKmOfSquaredChord(squared) / doubleWidestSquared);
        const atMiddle = sixteenth(atWide);
        const weight = usualPlaces.weights[i];
        wide += weight * atWide;
        middle += weight * atMiddle;
        narrow += weight * sixteenth(atMiddle);
      }
      out[at + 11] = (fastLog(narrow + densityPrior) + 7) / 3;
      out[at + 12] = (fastLog(middle + densityPrior) + 7) / 3;
      out[at + 13] = (fastLog(wide + densityPrior) + 7) / 3;
      out[at + 14] = 1;
      out[at + 15] = fastLog1p(kmOfSquaredChord(nearest)) / 2;
    }
    out[at + 16] = 1;
  },
};
