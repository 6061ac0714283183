import type { WeightedPoint } from "../../shared/contracts/retrieval.ts";
import { placeWeight, type ReadonlyProfile } from "../profile/profile.ts";

/** Usual places from which the first stage measures proximity, at most. */
const maxProximityPlaces = 4;

/** Returns a user's usual places, heaviest first. Weights are the shares of decayed choices at all usual places. */
export function usualPlaces(profile: ReadonlyProfile, now: number): WeightedPoint[] {
  const places = [...profile.places.values()]
    .map((place) => ({ lat: place.lat, lon: place.lon, weight: placeWeight(place, now) }))
    .sort((a, b) => b.weight - a.weight);
  const total = places.reduce((sum, place) => sum + place.weight, 0);
  return total > 0
    ? places.slice(0, maxProximityPlaces).map((place) => ({ ...place, weight: place.weight / total }))
    : [];
}
