import tzlookup from "@photostructure/tz-lookup";
import { gridDisk } from "h3-js";
import type { City, EdgePlace, ResolvedPlace } from "../shared/contracts/location.ts";
import type { Point } from "../shared/contracts/primitives.ts";
import { areaOf } from "../shared/geo/areas.ts";
import { leafCellOf } from "../shared/geo/cells.ts";
import { distanceKm } from "../shared/geo/distance.ts";
import type { CityStore } from "./store.ts";

/** Beyond this distance a point is in no city. */
const reachKm = 150;
/** Areas kept in isolate memory, oldest leave first. */
const areasKept = 256;

const areas = new Map<string, City[]>();

/**
 * How far a point is from a city, counted from the edge of its built-up area: distance less a radius that
 * grows with the root of the population (4 million people per 1,000 km², as dense cities have: 9 km for a
 * million). So a point inside a metropolis is not given to a village within it.
 */
export function distanceToEdge(point: Point, city: City): number {
  const radiusKm = 0.009 * Math.sqrt(city.population);
  return distanceKm(point.lat, point.lon, city.lat, city.lon) - radiusKm;
}

/** The city of a point among those around it; null where none is in reach. Ties go to the larger. */
export function cityOf(point: Point, around: readonly City[]): City | null {
  let best: City | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const city of around) {
    const edge = distanceToEdge(point, city);
    if (distanceKm(point.lat, point.lon, city.lat, city.lon) > reachKm) continue;
    if (edge < least || (edge === least && city.population > (best?.population ?? 0))) {
      least = edge;
      best = city;
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

  async #around(point: Point): Promise<City[]> {
    const wanted = gridDisk(areaOf(point), 1);
    const missing = wanted.filter((area) => !areas.has(area));
    if (missing.length > 0) {
      const found = await this.#store.inAreas(missing);
      for (const area of missing) areas.set(area, found.get(area) ?? []);
    }
    const cities = wanted.flatMap((area) => areas.get(area) ?? []);
    for (const oldest of areas.keys()) {
      if (areas.size <= areasKept) break;
      areas.delete(oldest);
    }
    return cities;
  }

  /** The city of a point; null at sea and in the wild. */
  async city(point: Point): Promise<City | null> {
    return cityOf(point, await this.#around(point));
  }

  /** Where a point is; the timezone is known everywhere. */
  async resolve(point: Point): Promise<ResolvedPlace> {
    const city = await this.city(point);
    return {
      city: city?.name ?? null,
      country: city?.country ?? null,
      timezone: tzlookup(point.lat, point.lon),
      cell: leafCellOf(point, 0),
      distanceKm: city ? distanceKm(point.lat, point.lon, city.lat, city.lon) : null,
    };
  }

  /** The point that the edge means: its own, else that of the city that it names. */
  async edge(edge: EdgePlace): Promise<Point | null> {
    if (edge.point) return edge.point;
    if (!edge.city || !edge.country) return null;
    return this.#store.named(edge.country, edge.city);
  }
}
