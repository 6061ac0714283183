import { distanceKm } from "../../workers/shared/geo/distance.ts";
import type { FeatureFamily } from "./feature.ts";

const bandwidthsKm = [0.5, 2, 8] as const;

/**
 * Where the candidate is: distance to the person, to the last choice and to home, in log and as decays at several
 * scales, and the density of the person's usual places around it (Gaussian kernels of 0.5, 2 and 8 km, in log; Lichman
 * and Smyth, "Modeling Human Location Data with Mixtures of Kernel Densities", KDD 2014).
 */
export const geography: FeatureFamily = {
  names: [
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
    "usual_nearest_log",
    "placed",
  ],
  fill(context, block, row, _trace, out, at) {
    out.fill(0, at, at + geography.names.length);
    const lat = block.lat[row];
    const lon = block.lon[row];
    if (Number.isNaN(lat)) return;
    const { point, usualPlaces } = context;
    if (point) {
      const km = distanceKm(point.lat, point.lon, lat, lon);
      out[at] = 1;
      out[at + 1] = Math.log1p(km) / 2;
      out[at + 2] = Math.exp(-km / 0.3);
      out[at + 3] = Math.exp(-km);
      out[at + 4] = Math.exp(-km / 4);
      out[at + 5] = Math.exp(-km / 15);
    }
    const last = context.choices[0];
    if (last && last.lat !== null && last.lon !== null) {
      const km = distanceKm(last.lat, last.lon, lat, lon);
      out[at + 6] = 1;
      out[at + 7] = Math.log1p(km) / 2;
      out[at + 8] = Math.exp(-km);
    }
    const { home } = context.person;
    if (home) {
      out[at + 9] = 1;
      out[at + 10] = Math.log1p(distanceKm(home.lat, home.lon, lat, lon)) / 2;
    }
    if (usualPlaces.length > 0) {
      let nearest = Number.POSITIVE_INFINITY;
      const density = [0, 0, 0];
      for (const place of usualPlaces) {
        const km = distanceKm(place.lat, place.lon, lat, lon);
        if (km < nearest) nearest = km;
        for (let i = 0; i < 3; i++)
          density[i] += place.weight * Math.exp((-km * km) / (2 * bandwidthsKm[i] * bandwidthsKm[i]));
      }
      for (let i = 0; i < 3; i++) out[at + 11 + i] = (Math.log(density[i] + 1e-3) + 7) / 3;
      out[at + 14] = Math.log1p(nearest) / 2;
    }
    out[at + 15] = 1;
  },
};
