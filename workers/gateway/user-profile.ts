import type { Point, Precision } from "../../shared/contracts/primitives.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import type { User, UserInput, UserPatch } from "../../shared/contracts/user.ts";
import type { LocationApi } from "../../shared/services/location-api.ts";
import type { UserSettings } from "../../shared/services/user-api.ts";
import { throwRefusal } from "./errors/throw-refusal.ts";
import type { GatewayServices } from "./services.ts";

/** A stored profile, and the settings of it that the user's session object needs. */
interface StoredProfile {
  user: User;
  settings: UserSettings;
}

/** Maximum number of attempts to write a home while other requests change the same user's consent. */
const maxAttempts = 5;

/**
 * Returns a home at the precision that the user's consent allows, so that no store receives a more precise one; null for
 * a user who allows no location.
 */
async function coarsenHome(
  location: LocationApi,
  home: Point | null,
  precision: Precision,
): Promise<Point | null> {
  if (home === null || precision === "exact") return home;
  if (precision === "none") return null;
  return unwrap(await location.coarsen(home, precision), "the location service").point;
}

/** Creates or replaces a profile. `created` says whether the profile is new. */
export async function putUser(
  { user, location }: GatewayServices,
  application: string,
  userId: string,
  input: UserInput,
  defaultConsent: Precision,
): Promise<StoredProfile & { created: boolean }> {
  const home = await coarsenHome(location, input.home, input.consent.location ?? defaultConsent);
  return unwrap(await user.put(application, userId, { ...input, home }), "the user service");
}

/**
 * Changes some fields of a profile. Concurrent requests may change home and consent. The function therefore writes the
 * home again until its precision matches the stored consent.
 */
export async function patchUser(
  { user, location }: GatewayServices,
  application: string,
  userId: string,
  patch: UserPatch,
  defaultConsent: Precision,
): Promise<StoredProfile> {
  if (patch.home === undefined && patch.consent === undefined)
    return unwrap(await user.patch(application, userId, patch), "the user service");
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const current = unwrap(await user.get(application, userId), "the user service");
    const precision = patch.consent ? (patch.consent.location ?? defaultConsent) : current.consent.location;
    const home = await coarsenHome(location, patch.home === undefined ? current.home : patch.home, precision);
    const homeUnchanged = home?.lat === current.home?.lat && home?.lon === current.home?.lon;
    const stored = unwrap(
      await user.patch(
        application,
        userId,
        homeUnchanged && patch.home === undefined ? patch : { ...patch, home },
      ),
      "the user service",
    );
    if (stored.user.consent.location === precision) return stored;
  }
  return throwRefusal("conflict", "Other requests keep changing this user's consent; try again.", {
    retryAfter: 1,
  });
}
