import type { UserProfile } from "../../../model/profile/profile.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";

/** Locations of a profile at the precision of a new consent; null where nothing may be kept. */
export interface CoarsePlaces {
  location: Point | null;
  home: Point | null;
}

/**
 * Sets the consent that counts in a profile, in place, and returns whether it is lowered. A lowered consent leaves no
 * finer place: the last location and the home are replaced by `coarse`. The usual places are forgotten, and which products
 * were shown, since what is near a place tells the place. A raised consent keeps what is coarse.
 */
export function applyConsent(profile: UserProfile, precision: Precision, coarse: CoarsePlaces): boolean {
  const isLowered = isFiner(profile.finestStored, precision);
  if (isLowered) {
    const { location } = profile;
    profile.location = location && coarse.location && { ...coarse.location, time: location.time };
    profile.home = coarse.home;
    profile.unconfirmedLocation = null;
    profile.places.clear();
    profile.shown.clear();
  }
  profile.precision = precision;
  profile.finestStored = precision;
  return isLowered;
}
