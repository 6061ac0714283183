import * as z from "zod";
import { attributes } from "./attributes.ts";
import { storedType } from "./event.ts";
import { answerLocation } from "./location.ts";
import { nullIsAbsent, nullResets } from "./null-is-absent.ts";
import { identifier, instant, plainId, point, precision } from "./primitives.ts";
import { timestamp } from "./timestamp.ts";
import { inputWarning } from "./warning.ts";

/** Consent as a client states it. Null states none: then the setting `DEFAULT_CONSENT` counts. */
const consentInput = z.strictObject({ location: precision.nullable().default(null) });

/** Body of `PUT /v1/users/{id}`: a user's home, consent and attributes. */
export const userInput = nullIsAbsent(
  z.strictObject({
    home: point.nullable().default(null),
    consent: consentInput.default({ location: null }),
    attributes: attributes.default({}),
  }),
);
export type UserInput = z.infer<typeof userInput>;

/**
 * Body of `PATCH /v1/users/{id}`: the fields to change; other fields keep their value. Null sets a field to what it has
 * where it is absent in {@link userInput}.
 */
export const userPatch = z
  .strictObject({
    home: point.nullable(),
    consent: nullResets(z.strictObject({ location: precision.nullable() }), { location: null }),
    attributes: nullResets(attributes, {}),
  })
  .partial();
export type UserPatch = z.infer<typeof userPatch>;

/** A stored user profile. */
export const user = z.object({
  id: identifier,
  home: point.nullable(),
  /** The consent that counts: what was stated, else the setting `DEFAULT_CONSENT`. */
  consent: z.object({ location: precision }),
  attributes,
  createdAt: instant,
  updatedAt: instant,
});
export type User = z.infer<typeof user>;

/** A stored interaction, as the API returns it. */
export const userInteraction = z.object({
  eventId: identifier,
  type: storedType,
  productId: identifier,
  timestamp: instant,
  recommendationId: plainId.nullable(),
  location: point.nullable(),
  /** What the whole event was worth, in units of the currency; absent like the other two if the event did not say. */
  value: z.number().optional(),
  currency: z.string().optional(),
  quantity: z.number().int().optional(),
});
export type UserInteraction = z.infer<typeof userInteraction>;

const withheld = "Absent for a key without `locations:read`.";
/** A user as an answer shows it to a credential. */
export const shownUser = user.extend({ home: user.shape.home.optional().meta({ description: withheld }) });
export type ShownUser = z.infer<typeof shownUser>;
/** An interaction as an answer shows it to a credential. */
export const shownInteraction = userInteraction.extend({
  location: userInteraction.shape.location.optional().meta({ description: withheld }),
});
export type ShownInteraction = z.infer<typeof shownInteraction>;

/** Body of `PUT /v1/users/{id}/location`: where the user is. */
export const locationInput = nullIsAbsent(
  z.strictObject({
    lat: point.shape.lat,
    lon: point.shape.lon,
    timestamp: timestamp.optional(),
  }),
);
export type LocationInput = z.infer<typeof locationInput>;

/** Answer of `PUT /v1/users/{id}/location`: where the user is now. A location that is not believed changes nothing. */
export const locationOutcome = z.object({
  location: answerLocation,
  /** Why the location is not believed, or that its time counts as now; absent if it is stored as it was sent. */
  warnings: z.array(inputWarning).optional(),
});
export type LocationOutcome = z.infer<typeof locationOutcome>;
