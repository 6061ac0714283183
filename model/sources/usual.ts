import { distanceKm } from "../../workers/shared/geo/distance.ts";
import { placeHalfLife } from "../person/person.ts";
import type { Source } from "./source.ts";

/** Usual places asked, and how far from the person and each other they must be to say something new. */
const placesAsked = 2;
const apartKm = 2;
/** Candidates asked of each. */
const share = 0.2;

/** Popular near where the person usually is. */
export const usual: Source = {
  name: "usual",
  async find({ person, point, places, limit, filter, now }) {
    const asked: { lat: number; lon: number }[] = [];
    const known = [...person.places.values()]
      .map((place) => ({ place, weight: place.decayed * 2 ** (-(now - place.at) / 86_400 / placeHalfLife) }))
      .sort((a, b) => b.weight - a.weight);
    for (const { place } of known) {
      if (asked.length === placesAsked) break;
      const others = point ? [point, ...asked] : asked;
      if (others.every((other) => distanceKm(other.lat, other.lon, place.lat, place.lon) > apartKm))
        asked.push({ lat: place.lat, lon: place.lon });
    }
    return Promise.all(
      asked.map((place) => places.candidates({ point: place, limit: Math.ceil(limit * share), filter, now })),
    );
  },
};
