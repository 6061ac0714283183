import { type ReasonSubject, reasonSubjects } from "../../../model/pipeline/reasons.ts";
import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import { coarserOf } from "../../../shared/consent/levels.ts";
import type { AnswerLocation, LocationSource } from "../../../shared/contracts/location.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { coarsenToKilometer } from "../../../shared/geo/coarsen.ts";

/**
 * Steps to which a distance is rounded, in km, by the precision of the place that it is measured from. At `none`, only
 * the place that the request itself states is used.
 */
const distanceStepKm = { exact: 0.01, approximate: 1, city: 10, none: 0.01 } as const;

/** Returns whether the place of a recommendation is known to every holder of the request's credential. */
const isPlaceOfRequest = (source: LocationSource): boolean => source === "request" || source === "edge";

/** Returns whether a requester may learn the place that a recommendation was computed for. */
export const mayKnow = ({ mayKnowPlace }: Requester, source: LocationSource): boolean =>
  mayKnowPlace || isPlaceOfRequest(source);

/**
 * Returns the precision at which a stored place is used for a requester: at most `approximate` for one who may not know
 * the place, so that no list tells more, neither by its order nor by its scores nor by what a filter leaves.
 */
export const precisionFor = ({ mayKnowPlace }: Requester, allowed: Precision): Precision =>
  mayKnowPlace ? allowed : coarserOf(allowed, "approximate");

/**
 * Returns the profile that a list for a requester is computed from. For one who may not know the user's place, every
 * stored place is the center of its cell of about 1 km.
 */
export function profileFor({ mayKnowPlace }: Requester, profile: ReadonlyProfile): ReadonlyProfile {
  if (mayKnowPlace) return profile;
  const { home, location, places } = profile;
  return {
    ...profile,
    home: home && coarsenToKilometer(home),
    location: location && { ...coarsenToKilometer(location), time: location.time },
    places: new Map([...places].map(([cell, place]) => [cell, { ...place, ...coarsenToKilometer(place) }])),
  };
}

/**
 * Returns a distance as an answer shows it: rounded to what the precision of the place allows, and null for a requester
 * who may not know the place. The edge network's estimate of a place is as imprecise as a city.
 */
export function shownDistance(
  km: number | null,
  requester: Requester,
  { source, precision }: { source: LocationSource; precision: Precision },
): number | null {
  if (km === null || !mayKnow(requester, source)) return null;
  const step = distanceStepKm[source === "edge" ? "city" : precision];
  return step < 1 ? Math.round(km * 100) / 100 : Math.round(km / step) * step;
}

/** Returns whether a requester may learn something that tells of the user's place or history. */
export function mayKnowSubject(
  subject: ReasonSubject,
  requester: Requester,
  source: LocationSource,
): boolean {
  switch (subject) {
    case "history":
      return requester.mayReadHistory;
    case "place":
      return mayKnow(requester, source);
    case "usual places":
      return requester.mayKnowPlace;
    default:
      return true;
  }
}

/** Returns those reasons for a product that a requester may know. */
export const shownReasons = (
  reasons: readonly string[],
  requester: Requester,
  source: LocationSource,
): string[] =>
  reasons.filter((reason) => mayKnowSubject(reasonSubjects.get(reason) ?? null, requester, source));

/** Returns the location of an answer without the names of the place. */
export const withoutNames = (location: AnswerLocation): AnswerLocation => ({
  ...location,
  city: null,
  country: null,
});

/**
 * Returns whether a key that may not know the user's place must not learn the place of a recommendation: it is stored, or
 * it is the place of the user's own request. `point` is the place.
 */
export const isPlacePrivate = (
  point: Point | null,
  source: LocationSource,
  { tokenIssuedAt }: Requester,
): boolean => point !== null && (tokenIssuedAt !== null || !isPlaceOfRequest(source));
