import type { UserProfile } from "../../../model/profile/profile.ts";
import type { AnswerLocation, EdgeLocation, LocationSource } from "../../../shared/contracts/location.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { LocationApi } from "../../../shared/contracts/services.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenToKilometre, coarsenToRegion } from "../../../shared/geo/coarsen.ts";

/** Where a person was taken to be. */
export interface UserLocation {
  point: Point | null;
  source: LocationSource;
  /** What was left out, and why. */
  skipped?: string;
}

/** A point at a precision, before anything is computed from it or stored. */
export async function coarsened(location: LocationApi, point: Point, precision: Precision): Promise<Point> {
  if (precision === "exact") return point;
  if (precision === "1km") return coarsenToKilometre(point);
  const coarse = await location.coarsen(point, precision);
  return coarse.ok ? coarse.value.point : coarsenToRegion(point);
}

/** The strongest evidence there is: the request, where they were last, what the edge says, their home. */
async function evidence(
  location: LocationApi,
  profile: UserProfile,
  asked: Point | undefined,
  edge: EdgeLocation,
): Promise<{ point: Point | null; source: LocationSource }> {
  if (asked) return { point: asked, source: "request" };
  if (profile.location)
    return { point: { lat: profile.location.lat, lon: profile.location.lon }, source: "last" };
  const seen = await location.edge(edge);
  if (seen.ok && seen.value) return { point: seen.value, source: "edge" };
  if (profile.home) return { point: profile.home, source: "home" };
  return { point: null, source: "none" };
}

/** The names of a point; none where the gazetteer cannot be reached. */
export async function namesOf(
  location: LocationApi,
  point: Point,
): Promise<Pick<AnswerLocation, "city" | "country">> {
  try {
    const resolved = await location.resolve(point);
    if (resolved.ok) return { city: resolved.value.city, country: resolved.value.country };
  } catch (error) {
    console.error({ event: "city not reached", error: errorText(error) });
  }
  return { city: null, country: null };
}

/**
 * Where to recommend for, at the precision that the person allows. Where the gazetteer cannot be reached, a place that only it
 * could coarsen is left out.
 */
export async function resolveLocation(
  location: LocationApi,
  profile: UserProfile,
  asked: Point | undefined,
  edge: EdgeLocation,
): Promise<UserLocation> {
  try {
    const { point: raw, source } = await evidence(location, profile, asked, edge);
    return { point: raw ? await coarsened(location, raw, profile.precision) : null, source };
  } catch (error) {
    console.error({ event: "gazetteer not reached", error: errorText(error) });
    return { point: null, source: "none", skipped: "the gazetteer: failed, the place is not known" };
  }
}
