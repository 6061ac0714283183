import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import type { AnswerLocation, EdgeLocation, LocationSource } from "../../../shared/contracts/location.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import type { InputWarning } from "../../../shared/contracts/warning.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenPoint } from "../../../shared/geo/coarsen-point.ts";
import { implausibilityOf, implausibilityText } from "../../../shared/geo/implausible-point.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import { lastLocation } from "./last-location.ts";
import { precisionFor } from "./place-rights.ts";

/** The location that a recommendation uses. */
export interface RecommendationLocation {
  point: Point | null;
  source: LocationSource;
  /** The precision of the point. */
  precision: Precision;
  /** What was not used as the request states it. */
  warnings: InputWarning[];
  /** What failed, if the location could not be resolved. */
  skipped?: string;
}

/** Where a recommendation is wanted, as the request says. */
export interface LocationQuery {
  /** The location that the request states, if it states one. */
  stated: Point | undefined;
  edge: EdgeLocation;
  /** Seconds since the epoch. */
  now: number;
  /** Age in seconds up to which the user's last location counts. */
  lastLocationSeconds: number;
}

/** Returns the location that a request states; undefined without one, and for (0, 0), which counts as none. */
export const usableLocation = (stated: Point | undefined): Point | undefined =>
  stated && implausibilityOf(stated) !== "null_island" ? stated : undefined;

/** Returns the warnings about the location that a request states. */
function locationWarnings(stated: Point | undefined): InputWarning[] {
  const implausibility = stated === undefined ? null : implausibilityOf(stated);
  if (implausibility === null) return [];
  const text = implausibilityText[implausibility];
  return implausibility === "null_island"
    ? [
        {
          path: "location",
          code: "location_not_believed",
          message: `${text}. The last location, the edge's or the home counts.`,
        },
      ]
    : [{ path: "location", code: "location_imprecise", message: `${text}. It is used as it was sent.` }];
}

/**
 * Returns the most reliable location: the request's, else the last known unless it has expired, else the edge network's,
 * else the home.
 */
async function bestLocation(
  location: LocationApi,
  profile: ReadonlyProfile,
  { stated, edge, now, lastLocationSeconds }: LocationQuery,
): Promise<{ point: Point | null; source: LocationSource }> {
  const requestLocation = usableLocation(stated);
  if (requestLocation) return { point: requestLocation, source: "request" };
  const last = lastLocation(profile, now, lastLocationSeconds);
  if (last) return { point: last, source: "last" };
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
 * Returns the location to recommend for, at the precision that the user allows and the requester may know. Returns no
 * location if the gazetteer fails, because an uncoarsened point must not be used.
 */
export async function resolveLocation(
  location: LocationApi,
  profile: ReadonlyProfile,
  query: LocationQuery,
  requester: Requester,
): Promise<RecommendationLocation> {
  const warnings = locationWarnings(query.stated);
  try {
    const { point: precise, source } = await bestLocation(location, profile, query);
    const precision =
      source === "last" || source === "home" ? precisionFor(requester, profile.precision) : profile.precision;
    const point = precise ? await coarsenPoint(location, precise, precision) : null;
    return { point, source, precision, warnings };
  } catch (error) {
    console.error({ event: "gazetteer unreachable", error: errorText(error) });
    const skipped = "the gazetteer: failed, the location is unknown";
    return { point: null, source: "none", precision: profile.precision, warnings, skipped };
  }
}
