import type { WeightedPoint } from "../../shared/contracts/retrieval.ts";
import { placeHalfLife, type UserProfile } from "../profile/profile.ts";

/** Usual places by which proximity is judged. */
const most = 4;

/** Where the person usually is: their places by decayed choices, the heaviest first, weights adding up to one. */
export function usualLocations(profile: UserProfile, now: number): WeightedPoint[] {
  const places = [...profile.places.values()]
    .map(({ lat, lon, decayed, at }) => ({
      lat,
      lon,
      weight: decayed * 2 ** (-Math.max(0, now - at) / 86_400 / placeHalfLife),
    }))
    .sort((a, b) => b.weight - a.weight);
  const total = places.reduce((sum, place) => sum + place.weight, 0);
  return total > 0 ? places.slice(0, most).map((place) => ({ ...place, weight: place.weight / total })) : [];
}
