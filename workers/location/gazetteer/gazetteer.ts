import tzlookup from "@photostructure/tz-lookup";
import type { City, EdgeLocation, ResolvedLocation } from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";
import { areaOf } from "../../../shared/geo/city-areas.ts";
import { countryOf } from "../../../shared/geo/country.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { cellAndNeighbors } from "../../../shared/geo/h3/points.ts";
import { implausibilityOf } from "../../../shared/geo/implausible-point.ts";
import { unitVectors, vectorDistanceKm } from "../../../shared/geo/sphere.ts";
import type { CityStore } from "../store.ts";
import { coarsenWithinCountry } from "./coarsen-within-country.ts";
import { isTimezoneOf, onlyTimezoneOf } from "./country-timezones.ts";

/** A point farther than this from every city center has no city. */
const maxCityDistanceKm = 150;
/** Number of areas in the isolate's cache; the oldest entries are evicted first. */
const maxCachedAreas = 256;

/** Cities with precomputed vectors and radii, as {@link nearestCity} reads them. */
export interface CityIndex {
  cities: readonly City[];
  /** Unit vectors of the city centers, three numbers each. */
  unitVectors: Float64Array;
  /** Radius of each city's built-up area, in km. */
  radiusKm: Float64Array;
}

const areaCache = new Map<string, CityIndex>();

/**
 * Returns the approximate radius of a city's built-up area in km. Assumes the density of dense cities, 4 million people
 * per 1,000 km²: a city of one million has a radius of 9 km.
 */
const builtUpRadiusKm = ({ population }: City): number => 0.009 * Math.sqrt(population);

/** Returns cities with the unit vectors and radii that {@link nearestCity} reads. */
export const indexCities = (cities: readonly City[]): CityIndex => ({
  cities,
  unitVectors: unitVectors(
    cities.map(({ lat }) => lat),
    cities.map(({ lon }) => lon),
    cities.length,
  ),
  radiusKm: Float64Array.from(cities, builtUpRadiusKm),
});

/** Pairs of GeoNames' country of a city and the country whose borders contain it, where the territory is disputed. */
const disputedTerritories = new Set(["EH MA", "IL PS", "PS IL"]);

/**
 * Returns whether a city is in a country: GeoNames says so, or its territory is disputed and the borders say so. A city
 * that the generalized borders misplace by some hundred meters does not change its country.
 */
const isIn = (country: string, { country: own, lat, lon }: City): boolean =>
  own === country || (disputedTerritories.has(`${own} ${country}`) && countryOf({ lat, lon }) === country);

/**
 * Returns the city of a country whose built-up area is nearest to the point; null if no city of the country is within
 * {@link maxCityDistanceKm}. Distances count from the edge of the built-up area, so that a point inside a metropolis
 * does not get a village within it. Of equally near cities, the one with the larger population wins.
 */
export function nearestCity(
  point: Point,
  country: string,
  { cities, unitVectors: cityVectors, radiusKm }: CityIndex,
): City | null {
  const pointVector = unitVectors([point.lat], [point.lon], 1);
  let nearest: City | null = null;
  let shortestKm = Number.POSITIVE_INFINITY;
  for (let i = 0; i < cities.length; i++) {
    const centerKm = vectorDistanceKm(pointVector, 0, cityVectors, i);
    if (centerKm > maxCityDistanceKm) continue;
    const edgeKm = centerKm - radiusKm[i];
    const isLarger = cities[i].population > (nearest?.population ?? 0);
    if ((edgeKm < shortestKm || (edgeKm === shortestKm && isLarger)) && isIn(country, cities[i])) {
      shortestKm = edgeKm;
      nearest = cities[i];
    }
  }
  return nearest;
}

/** The queries of the cities' table that {@link Gazetteer} needs. */
type Cities = Pick<CityStore, "inAreas" | "findByName" | "findLargest">;

/** Resolves locations from the stored cities. */
export class Gazetteer {
  readonly #store: Cities;

  constructor(store: Cities) {
    this.#store = store;
  }

  async #citiesAround(point: Point): Promise<CityIndex> {
    const area = areaOf(point);
    const cached = areaCache.get(area);
    if (cached) return cached;
    const cityIndex = indexCities(await this.#store.inAreas(cellAndNeighbors(area)));
    areaCache.set(area, cityIndex);
    for (const oldest of areaCache.keys()) {
      if (areaCache.size <= maxCachedAreas) break;
      areaCache.delete(oldest);
    }
    return cityIndex;
  }

  /** Returns the city of a point in its country; null if the point is in no country or no city of it is near. */
  async #city(point: Point, country: string | null): Promise<City | null> {
    return country === null ? null : nearestCity(point, country, await this.#citiesAround(point));
  }

  /**
   * Returns the timezone of a point. At a border, the generalized areas of the timezones may be across it; then the
   * timezone of the nearest city of the country counts.
   */
  async #timezone(point: Point, country: string | null): Promise<string> {
    const zone = tzlookup(point.lat, point.lon);
    if (country === null || isTimezoneOf(zone, country)) return zone;
    const { cities } = await this.#citiesAround(point);
    const inside = cities.filter((each) => isIn(country, each) && isTimezoneOf(each.timezone, country));
    return nearestCity(point, country, indexCities(inside))?.timezone ?? onlyTimezoneOf(country) ?? zone;
  }

  /**
   * Returns the city, country, time zone and cell of a point. The country is the one whose borders contain the point,
   * and the city is a city of that country. Every point has a time zone.
   */
  async resolve(point: Point): Promise<ResolvedLocation> {
    const country = countryOf(point);
    const city = await this.#city(point, country);
    return {
      city: city?.name ?? null,
      country,
      timezone: await this.#timezone(point, country),
      cell: leafCellAt(point, 0),
      distanceKm: city ? distanceKm(point.lat, point.lon, city.lat, city.lon) : null,
    };
  }

  /**
   * Returns a point at precision `city`: the center of its city, else the center of a cell of about 45 km. The result is
   * in the country of the point.
   */
  async coarsen(point: Point): Promise<Point> {
    const country = countryOf(point);
    const city = await this.#city(point, country);
    const center = city && { lat: city.lat, lon: city.lon };
    return center && countryOf(center) === country ? center : coarsenWithinCountry(point, country);
  }

  /**
   * Returns the edge location's own point, unless it is implausible, else the location of the city that it names, else
   * that of the largest city of its country; null without a country.
   */
  async resolveEdge(edge: EdgeLocation): Promise<Point | null> {
    if (edge.point && implausibilityOf(edge.point) === null) return edge.point;
    if (!edge.country) return null;
    const city = edge.city ? await this.#store.findByName(edge.country, edge.city) : null;
    return city ?? this.#store.findLargest(edge.country);
  }
}
