import * as z from "zod";
import { allowedVisit } from "../../../shared/consent/allowed-rows.ts";
import type { ConsentLimits } from "../../../shared/consent/consent-limits.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { coarsenEach, coarsenInOneCall } from "../../../shared/geo/coarsen-point.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import type { Replacements, UserApi, UserSettings } from "../../../shared/services/user-api.ts";

/** Where the coarsening of a user's records continues: in the interactions, then in the visits. */
const recordsPosition = z.discriminatedUnion("table", [
  z.object({ table: z.literal("interactions"), after: z.string() }),
  z.object({ table: z.literal("visits"), after: z.number() }),
]);
type RecordsPosition = z.infer<typeof recordsPosition>;

interface Services {
  USER: Pick<UserApi, "readHistory" | "readVisits" | "replaceLocations" | "get" | "getSettings" | "patch">;
  LOCATION: Pick<LocationApi, "coarsen" | "coarsenPoints">;
}

/**
 * Coarsens the next rows of a user in D1; `limits` are those of the lowered consent. A step may be repeated. Returns how
 * many rows changed, and where to continue; null after the last row.
 */
export async function coarsenRecords(
  { USER, LOCATION }: Services,
  application: string,
  { userId, precision, ...limits }: ConsentLimits,
  position: string | null,
  limit: number,
): Promise<{ changed: number; next: string | null }> {
  const at: RecordsPosition = position
    ? recordsPosition.parse(JSON.parse(position))
    : { table: "interactions", after: "" };
  const replacements: Replacements = { precision, interactions: [], visits: [] };
  let next: RecordsPosition | null;
  if (at.table === "interactions") {
    const rows = unwrap(await USER.readHistory(application, userId, at.after, limit), "the user service");
    const located = rows.flatMap(({ event_id: eventId, lat, lon }) =>
      lat === null || lon === null ? [] : [{ eventId, lat, lon }],
    );
    const coarsen = await coarsenInOneCall(LOCATION, located, precision);
    for (const { eventId, lat, lon } of located) {
      const location = await coarsen({ lat, lon }, precision);
      if (location?.lat !== lat || location.lon !== lon)
        replacements.interactions.push({ eventId, location });
    }
    const last = rows.length < limit ? null : rows.at(-1);
    next = last ? { table: "interactions", after: last.event_id } : { table: "visits", after: 0 };
  } else {
    const visits = unwrap(await USER.readVisits(application, userId, at.after, limit), "the user service");
    const coarsen = await coarsenInOneCall(LOCATION, visits, precision);
    for (const visit of visits) {
      // A stored visit does not say under which settings it was reported, only at which precision.
      const allowed = await allowedVisit(coarsen, { userId, precision, ...limits }, visit);
      const location = allowed && { lat: allowed.lat, lon: allowed.lon };
      if (allowed !== visit) replacements.visits.push({ seq: visit.seq, location });
    }
    const last = visits.length < limit ? null : visits.at(-1);
    next = last ? { table: "visits", after: last.seq } : null;
  }
  let changed = 0;
  if (replacements.interactions.length + replacements.visits.length > 0)
    changed = unwrap(
      await USER.replaceLocations(application, userId, replacements),
      "the user service",
    ).changed;
  return { changed, next: next && JSON.stringify(next) };
}

/**
 * Coarsens the home in D1, which a default that changed leaves as it was. Returns whether it changed, and the present
 * settings, which the object may lack if the answer to an earlier attempt was lost; null without a profile, or if the
 * user has stated a finer consent since.
 */
export async function coarsenHome(
  { USER, LOCATION }: Services,
  application: string,
  { userId, precision }: ConsentLimits,
): Promise<{ settings: UserSettings | null; changed: number }> {
  const found = await USER.get(application, userId);
  if (!found.ok && found.error.code === "not_found") return { settings: null, changed: 0 };
  const { home, consent } = unwrap(found, "the user service");
  if (home !== null && isFiner(consent.location, precision)) return { settings: null, changed: 0 };
  const coarse = home && (await coarsenEach(LOCATION)(home, precision));
  if (coarse?.lat === home?.lat && coarse?.lon === home?.lon)
    return { settings: unwrap(await USER.getSettings(application, userId), "the user service"), changed: 0 };
  const patched = await USER.patch(application, userId, { home: coarse });
  return { settings: unwrap(patched, "the user service").settings, changed: 1 };
}
