import { z } from "zod";
import { eventType } from "./event.ts";
import { boundedRecord, identifier, instant, point, precision } from "./primitives.ts";

/** What a person allows and is known by. */
export const userInput = z.strictObject({
  home: point.nullable().default(null),
  consent: z.strictObject({ location: precision.default("exact") }).default({ location: "exact" }),
  attributes: boundedRecord(64, z.union([z.string().max(1024), z.number(), z.boolean(), z.null()])).default(
    {},
  ),
});
export type UserInput = z.infer<typeof userInput>;

export const userPatch = z
  .strictObject({
    home: point.nullable(),
    consent: z.strictObject({ location: precision }),
    attributes: boundedRecord(64, z.union([z.string().max(1024), z.number(), z.boolean(), z.null()])),
  })
  .partial();
export type UserPatch = z.infer<typeof userPatch>;

export const user = z.object({
  id: identifier,
  home: point.nullable(),
  consent: z.object({ location: precision }),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  createdAt: instant,
  updatedAt: instant,
});
export type User = z.infer<typeof user>;

/** An interaction as its person may read it. */
export const userInteraction = z.object({
  eventId: identifier,
  type: eventType,
  productId: identifier,
  timestamp: instant,
  recommendationId: identifier.nullable(),
  location: point.nullable(),
});
export type UserInteraction = z.infer<typeof userInteraction>;

/** A new place of a person. */
export const locationInput = z.strictObject({
  lat: point.shape.lat,
  lon: point.shape.lon,
  timestamp: instant.optional(),
});
export type LocationInput = z.infer<typeof locationInput>;
