import { decodeWorth } from "../../shared/contracts/event-content.ts";
import { decimalOf } from "../../shared/contracts/minor-units.ts";
import { type Point, type Precision, toInstant } from "../../shared/contracts/primitives.ts";
import type { User, UserInput, UserInteraction, UserPatch } from "../../shared/contracts/user.ts";
import type { CountedInteraction, UserSettings, UserVisit } from "../../shared/services/user-api.ts";
import type { UserRow, VisitRow } from "./store.ts";
import type { InteractionRow } from "./stored-interaction.ts";

const homeOf = ({ homeLat, homeLon }: UserRow): Point | null =>
  homeLat === null || homeLon === null ? null : { lat: homeLat, lon: homeLon };

/** Returns a stored profile as the API returns it. `defaultConsent` counts for a user who stated none. */
export const userOf = (row: UserRow, defaultConsent: Precision): User => ({
  id: row.userId,
  home: homeOf(row),
  consent: { location: row.precision ?? defaultConsent },
  attributes: row.attributes,
  createdAt: toInstant(row.createdAt),
  updatedAt: toInstant(row.updatedAt),
});

/** Returns a stored interaction as the API returns it. */
export const userInteractionOf = (row: InteractionRow): UserInteraction => ({
  eventId: row.eventId,
  type: row.type,
  productId: row.productId,
  timestamp: toInstant(row.time),
  recommendationId: row.recommendationId,
  location: row.lat === null || row.lon === null ? null : { lat: row.lat, lon: row.lon },
  ...statedWorth(row.worth),
});

/** Returns what an event was worth as the API returns it. */
function statedWorth(text: string | null): Pick<UserInteraction, "value" | "currency" | "quantity"> {
  const { value, quantity } = decodeWorth(text);
  return {
    ...(value ? { value: decimalOf(value.minor, value.currency), currency: value.currency } : {}),
    ...(quantity === undefined ? {} : { quantity }),
  };
}

/** Returns what a rebuild of transitions needs of a stored interaction. */
export const countedInteractionOf = ({
  type,
  productId,
  time,
  counts,
}: InteractionRow): CountedInteraction => ({
  type,
  productId,
  time,
  counts: counts === 1,
});

/** Returns a stored visit as the export returns it. */
export const userVisitOf = ({ lat, lon, precision, time }: VisitRow): UserVisit => ({
  location: { lat, lon },
  precision,
  timestamp: toInstant(time),
});

/** Returns the settings of a profile for the user's Durable Object. */
export const userSettingsOf = (row: UserRow): UserSettings => ({
  home: homeOf(row),
  precision: row.precision,
  version: row.settingsVersion,
});

/** Returns a new profile as a row. `now` is in seconds since the Unix epoch. */
export const userRowOf = (application: string, userId: string, input: UserInput, now: number): UserRow => ({
  application,
  userId,
  homeLat: input.home?.lat ?? null,
  homeLon: input.home?.lon ?? null,
  precision: input.consent.location,
  attributes: input.attributes,
  settingsVersion: 1,
  createdAt: now,
  updatedAt: now,
  approximateBefore: 0,
  cityBefore: 0,
  noneBefore: 0,
});

/** Returns the columns that a patch changes. */
export const userRowChangesOf = (patch: UserPatch): Partial<UserRow> => ({
  ...(patch.home === undefined ? {} : { homeLat: patch.home?.lat ?? null, homeLon: patch.home?.lon ?? null }),
  ...(patch.consent === undefined ? {} : { precision: patch.consent.location }),
  ...(patch.attributes === undefined ? {} : { attributes: patch.attributes }),
});
