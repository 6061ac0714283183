import type { Reduced } from "../../../durable-objects/user-session/ingest/reception.ts";
import type { SetLocationResponse } from "../../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../../durable-objects/user-session/user-session-stub.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { LocationInput, LocationOutcome } from "../../../shared/contracts/user.ts";
import { coarsenPoint } from "../../../shared/geo/coarsen-point.ts";
import { implausibilityOf, implausibilityText } from "../../../shared/geo/implausible-point.ts";
import { lastLocation } from "../serve/last-location.ts";
import { placeNames } from "../serve/resolve-location.ts";
import { lastLocationSecondsOf } from "../settings.ts";
import { atConsent } from "./at-consent.ts";
import {
  eventTimeOf,
  isWithinLiveWindow,
  maxAgeOf,
  outOfWindowText,
  timestampInFuture,
} from "./event-time.ts";
import { doubtText, notStoredText } from "./location-warnings.ts";

/** Returns a refusal of the input for one field. */
const refuseField = (path: string, message: string): Result<never> =>
  refuse("invalid_input", `\`${path}\` ${message}.`, { issues: [{ path, message }] });

/** What the user's object did with a location, and the location as it was sent there. */
interface StoredVisit extends Omit<SetLocationResponse, "consent"> {
  coarse: Point;
  precision: Precision;
}

/**
 * Stores where a user is, at the precision that they allow. Refuses an implausible point. Returns the user's location,
 * which is the last one with a warning if they cannot have come to the reported one, and whether they have a live
 * connection.
 */
export async function setUserLocation(
  env: RecommendationEnv,
  application: string,
  userId: string,
  { input: { lat, lon, timestamp }, requester }: { input: LocationInput; requester: Requester },
  now: number,
): Promise<Result<{ answer: LocationOutcome; hasListeners: boolean }>> {
  const time = eventTimeOf(timestamp, now);
  const maxAge = maxAgeOf(requester);
  if (!isWithinLiveWindow(time, now, maxAge))
    return refuseField("timestamp", outOfWindowText(time, now, maxAge));
  const implausibility = implausibilityOf({ lat, lon });
  if (implausibility !== null)
    return refuseField("lat", `and \`lon\` are no location of a user: ${implausibilityText[implausibility]}`);
  const session = userSessionStub(env.USER_SESSION, application, userId, { lat, lon });
  const storeAt = async (precision: Precision): Promise<Result<Reduced<StoredVisit | null>>> => {
    if (precision === "none") return ok({ consent: null, recorded: null });
    const coarse = await coarsenPoint(env.LOCATION, { lat, lon }, precision);
    const visit = { ...coarse, time: Math.min(time, now), precision };
    const answer = await session.setLocation(application, userId, visit, requester);
    if (!answer.ok) return answer;
    const { consent, ...rest } = answer.value;
    return ok(
      consent ? { consent, recorded: null } : { consent: null, recorded: { ...rest, coarse, precision } },
    );
  };
  const stored = await atConsent(env, application, session.id.toString(), storeAt);
  if (!stored.ok) return stored;
  if (stored.value === null)
    return ok({
      answer: {
        location: { city: null, country: null, precision: "none", source: "none" },
        warnings: [{ path: "lat", code: "location_not_stored", message: `The location ${notStoredText}.` }],
      },
      hasListeners: false,
    });
  const { hasListeners, isBelieved, coarse, precision } = stored.value;
  if (isBelieved) {
    const names = await placeNames(env.LOCATION, coarse);
    const location = { ...names, precision, source: "request" } as const;
    const warnings = time > now ? [{ path: "timestamp", ...timestampInFuture(now) }] : undefined;
    return ok({ answer: { location, ...(warnings ? { warnings } : {}) }, hasListeners });
  }
  const last = lastLocation({ location: stored.value.last ?? null }, now, lastLocationSecondsOf(env));
  const isShown = last !== null && requester.mayKnowPlace;
  const names = isShown ? await placeNames(env.LOCATION, last) : { city: null, country: null };
  return ok({
    answer: {
      location: { ...names, precision, source: last ? "last" : "none" },
      warnings: [{ path: "lat", code: "location_not_believed", message: `The location ${doubtText}.` }],
    },
    hasListeners: false,
  });
}
