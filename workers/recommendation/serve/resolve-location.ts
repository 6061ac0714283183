import type { UserProfile } from "../../../model/profile/profile.ts";
import type { AnswerLocation, EdgeLocation, LocationSource } from "../../../shared/contracts/location.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenToCity, coarsenToKilometer } from "../../../shared/geo/coarsen.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";

/** The location that a recommendation uses. */
export interface RecommendationLocation {
  point: Point | null;
  source: LocationSource;
  /** What failed, if the location could not be resolved. */
  skipped?: string;
}

/** Returns a point coarsened to a precision. Call this before anything is computed from the point or stores it. */
export async function coarsenPoint(
  location: LocationApi,
  point: Point,
  precision: Precision,
): Promise<Point> {
  if (precision === "exact") return point;
  if (precision === "1km") return coarsenToKilometer(point);
  const coarse = await location.coarsen(point, precision);
  return coarse.ok ? coarse.value.point : coarsenToCity(point);
}

/** Returns the most reliable location: the request's, else the last known, else the edge network's, else the home. */
async function bestLocation(
  location: LocationApi,
  profile: UserProfile,
  requestLocation: Point | undefined,
  edge: EdgeLocation,
): Promise<{ point: Point | null; source: LocationSource }> {
  if (requestLocation) return { point: requestLocation, source: "request" };
  if (profile.location)
    return { point: { lat: profile.location.lat, lon: profile.location.lon }, source: "last" };
  const edgePoint = await location.edgePoint(edge);
  if (edgePoint.ok && edgePoint.value) return { point: edgePoint.value, source: "edge" };
  if (profile.home) return { point: profile.home, source: "home" };
  return { point: null, source: "none" };
}

/** Returns the city and country of a point; nulls if the location service fails. */
export async function placeNames(
  location: LocationApi,
  point: Point,
): Promise<Pick<AnswerLocation, "city" | "country">> {
  try {
    const resolved = await location.resolveLocation(point);
    if (resolved.ok) return { city: resolved.value.city, country: resolved.value.country };
  } catch (error) {
    console.error({ event: "city name unavailable", error: errorText(error) });
  }
  return { city: null, country: null };
}

/**
 * Returns the location to recommend for, at the precision that the user allows. Returns no location if the gazetteer
 * fails, because an uncoarsened point must not be used.
 */
export async function resolveLocation(
  location: LocationApi,
  profile: UserProfile,
  requestLocation: Point | undefined,
  edge: EdgeLocation,
): Promise<RecommendationLocation> {
  try {
    const { point: precise, source } = await bestLocation(location, profile, requestLocation, edge);
    return { point: precise ? await coarsenPoint(location, precise, profile.precision) : null, source };
  } catch (error) {
    console.error({ event: "gazetteer unreachable", error: errorText(error) });
    return { point: null, source: "none", skipped: "the gazetteer: failed, the location is unknown" };
  }
}
