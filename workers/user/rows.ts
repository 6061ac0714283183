import { toInstant } from "../../shared/contracts/primitives.ts";
import type { User, UserInput, UserInteraction, UserPatch } from "../../shared/contracts/user.ts";
import type { UserSettings, UserVisit } from "../../shared/services/user-api.ts";
import type { InteractionRow, UserRow, VisitRow } from "./store.ts";

/** A stored row as its person reads it. */
export const userOf = (row: UserRow): User => ({
  id: row.userId,
  home: row.homeLat === null || row.homeLon === null ? null : { lat: row.homeLat, lon: row.homeLon },
  consent: { location: row.precision },
  attributes: row.attributes,
  createdAt: toInstant(row.createdAt),
  updatedAt: toInstant(row.updatedAt),
});

/** A stored interaction as its person reads it. */
export const userInteractionOf = (row: InteractionRow): UserInteraction => ({
  eventId: row.eventId,
  type: row.type,
  productId: row.productId,
  timestamp: toInstant(row.time),
  recommendationId: row.recommendationId,
  location: row.lat === null || row.lon === null ? null : { lat: row.lat, lon: row.lon },
});

/** A stored visit as its person reads it. */
export const userVisitOf = ({ lat, lon, precision, time }: VisitRow): UserVisit => ({
  location: { lat, lon },
  precision,
  timestamp: toInstant(time),
});

/** What the person's object must know of a row. */
export const userSettingsOf = (row: UserRow): UserSettings => ({
  home: userOf(row).home,
  precision: row.precision,
  version: row.settingsVersion,
});

/** A profile as a row. */
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
});

/** A profile's changes as columns; what is left out stays. */
export const userRowChangesOf = (patch: UserPatch): Partial<UserRow> => ({
  ...(patch.home === undefined ? {} : { homeLat: patch.home?.lat ?? null, homeLon: patch.home?.lon ?? null }),
  ...(patch.consent === undefined ? {} : { precision: patch.consent.location }),
  ...(patch.attributes === undefined ? {} : { attributes: patch.attributes }),
});
