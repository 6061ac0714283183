import type { Point, Precision } from "../../shared/contracts/primitives.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import type { LocationApi, UserSettings } from "../../shared/contracts/services.ts";
import type { User, UserInput, UserPatch } from "../../shared/contracts/user.ts";
import { throwRefusal } from "./errors/throw-refusal.ts";
import type { GatewayServices } from "./services.ts";

/** A person as they are stored, and what their object must know. */
interface StoredProfile {
  user: User;
  settings: UserSettings;
}

/** More often than this nobody else changes the same consent while it is read. */
const maxAttempts = 5;

/** A home at the precision that its person allows, before anything keeps it. */
async function coarsenHome(
  location: LocationApi,
  home: Point | null,
  precision: Precision,
): Promise<Point | null> {
  if (home === null || precision === "exact") return home;
  return unwrap(await location.coarsen(home, precision), "the location service").point;
}

/** Creates or replaces a profile. */
export async function putUser(
  { user, location }: GatewayServices,
  application: string,
  userId: string,
  input: UserInput,
): Promise<StoredProfile & { created: boolean }> {
  const home = await coarsenHome(location, input.home, input.consent.location);
  return unwrap(await user.put(application, userId, { ...input, home }), "the user service");
}

/**
 * Changes a profile. Home and consent are changed apart from each other, perhaps at the same time: what is stored in the
 * end is a home at the precision that is stored.
 */
export async function patchUser(
  { user, location }: GatewayServices,
  application: string,
  userId: string,
  patch: UserPatch,
): Promise<StoredProfile> {
  if (patch.home === undefined && patch.consent === undefined)
    return unwrap(await user.patch(application, userId, patch), "the user service");
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const current = unwrap(await user.get(application, userId), "the user service");
    const precision = patch.consent?.location ?? current.consent.location;
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
  return throwRefusal("conflict", "The person's consent changes all the time; try again.", { retryAfter: 1 });
}
