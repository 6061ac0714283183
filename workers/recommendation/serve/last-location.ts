import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";

/** Returns the user's last location; null if there is none, or if it is older than `maxAgeSeconds` at `now` (seconds). */
export function lastLocation(
  { location }: Pick<ReadonlyProfile, "location">,
  now: number,
  maxAgeSeconds: number,
): Point | null {
  if (location === null || now - location.time > maxAgeSeconds) return null;
  return { lat: location.lat, lon: location.lon };
}
