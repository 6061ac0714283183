import tzlookup from "@photostructure/tz-lookup";
import { gridDisk } from "h3-js";
import type { City, EdgeLocation, ResolvedLocation } from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { areaOf } from "../../../shared/geo/city-areas.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { unitVectors, vectorDistanceKm } from "../../../shared/geo/sphere.ts";
import type { CityStore } from "../store.ts";

/** Beyond this distance a point is in no city. */
const maxCityDistanceKm = 150;
/** Areas whose surroundings are kept in isolate memory; the oldest leave first. */
const maxCachedAreas = 256;

/** Cities around an area, as the search reads them. */
export interface CityIndex {
  cities: readonly City[];
  /** Unit vectors. */
  unitVectors: Float64Array;
  /** Radius of each city's built-up area, in km. */
  radiusKm: Float64Array;
}

const areaCache = new Map<string, CityIndex>();

/**
 * Radius of a city's built-up area in km: it grows with the root of the population (4 million people per 1,000 km², as
 * dense cities have: 9 km for a million).
 */
const builtUpRadiusKm = ({ population }: City): number => 0.009 * Math.sqrt(population);

/** Cities as {@link nearestCity} reads them. */
export const indexCities = (cities: readonly City[]): CityIndex => ({
  cities,
  unitVectors: unitVectors(
    cities.map(({ lat }) => lat),
    cities.map(({ lon }) => lon),
    cities.length,
  ),
  radiusKm: Float64Array.from(cities, builtUpRadiusKm),
});

/**
 * The city of a point among those around it: the one whose built-up edge is nearest, so that a point inside a metropolis
 * is not given to a village within it; null where none is in reach. Ties go to the larger.
 */
export function nearestCity(point: Point, { cities, unitVectors: at, radiusKm }: CityIndex): City | null {
  const here = unitVectors([point.lat], [point.lon], 1);
  let best: City | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < cities.length; i++) {
    const km = vectorDistanceKm(here, 0, at, i);
    if (km > maxCityDistanceKm) continue;
    const edge = km - radiusKm[i];
    if (edge < least || (edge === least && cities[i].population > (best?.population ?? 0))) {
      least = edge;
      best = cities[i];
    }
  }
  return best;
}

/** Cities by place, over the gazetteer's table. */
export class Gazetteer {
  readonly #store: CityStore;

  constructor(store: CityStore) {
    this.#store = store;
  }

  async #citiesAround(point: Point): Promise<CityIndex> {
    const area = areaOf(point);
    const known = areaCache.get(area);
    if (known) return known;
    const surroundings = indexCities(await this.#store.inAreas(gridDisk(area, 1)));
    areaCache.set(area, surroundings);
    for (const oldest of areaCache.keys()) {
      if (areaCache.size <= maxCachedAreas) break;
      areaCache.delete(oldest);
    }
    return surroundings;
  }

  /** The city of a point; null at sea and in the wild. */
  async city(point: Point): Promise<City | null> {
    return nearestCity(point, await this.#citiesAround(point));
  }

  /** Where a point is; the timezone is known everywhere. */
  async resolve(point: Point): Promise<ResolvedLocation> {
    const city = await this.city(point);
    return {
      city: city?.name ?? null,
      country: city?.country ?? null,
      timezone: tzlookup(point.lat, point.lon),
      cell: leafCellAt(point, 0),
      distanceKm: city ? distanceKm(point.lat, point.lon, city.lat, city.lon) : null,
    };
  }

  /** The point that the edge means: its own, else that of the city that it names. */
  async resolveEdge(resolveEdge: EdgeLocation): Promise<Point | null> {
    if (resolveEdge.point) return resolveEdge.point;
    if (!resolveEdge.city || !resolveEdge.country) return null;
    return this.#store.findByName(resolveEdge.country, resolveEdge.city);
  }
}
