import type { Point } from "../../shared/contracts/primitives.ts";
import { coarsenToKilometer } from "../../shared/geo/coarsen.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { hourSeconds } from "../../shared/time/seconds.ts";
import type { UserProfile } from "./profile.ts";

/** Speed above which a user is not believed to move, in km/h. An airliner with a strong tail wind reaches 1,300. */
export const maxSpeedKmh = 1500;

/**
 * Distance that two locations of one moment may have, in km: the error of a location from cell towers and of distances
 * to about 1 km; for precision `city`, twice the largest usual distance between a point and the center of its city. At `none` no location is stored.
 */
const toleranceKm = { exact: 12, approximate: 12, city: 100, none: 100 } as const;

/** A location at a time, in seconds since the epoch. */
type Sighting = Point & { time: number };

/**
 * Returns whether a user can have been at both locations. The order of the times does not matter. The distance is that of
 * the locations to about 1 km, so that nobody finds out more by reporting locations and reading which are believed.
 */
export function isReachable(a: Sighting, b: Sighting, precision: UserProfile["precision"]): boolean {
  const hours = Math.abs(a.time - b.time) / hourSeconds;
  const [from, to] = [coarsenToKilometer(a), coarsenToKilometer(b)];
  return distanceKm(from.lat, from.lon, to.lat, to.lon) <= maxSpeedKmh * hours + toleranceKm[precision];
}

/**
 * Returns whether a reported location is believed, and remembers it in the profile if it is not. It is believed if the
 * user can have come there from their last location at most {@link maxSpeedKmh} fast, or from the last location that was
 * not believed. So a single wrong location is ignored, and the second one of a user who is elsewhere is believed.
 */
export function believeLocation(profile: UserProfile, reported: Sighting): boolean {
  const { location, unconfirmedLocation, precision } = profile;
  if (location === null || isReachable(location, reported, precision)) {
    // A newer location confirms the last one, so that the location between them was wrong.
    if (unconfirmedLocation && reported.time >= unconfirmedLocation.time) profile.unconfirmedLocation = null;
    return true;
  }
  const confirmed = unconfirmedLocation !== null && isReachable(unconfirmedLocation, reported, precision);
  profile.unconfirmedLocation = confirmed
    ? null
    : { lat: reported.lat, lon: reported.lon, time: reported.time };
  return confirmed;
}
