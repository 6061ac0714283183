import * as z from "zod";
import { acceptedInteraction, storedType } from "../../shared/contracts/event.ts";
import {
  applicationName,
  epochSeconds,
  generation,
  identifier,
  point,
  precision,
  pseudonym,
} from "../../shared/contracts/primitives.ts";
import { placeVisit } from "../../shared/contracts/queues.ts";
import { userInput, userPatch } from "../../shared/contracts/user.ts";

// Each schema validates the arguments of one RPC method of service.ts.

export const userCall = z.object({ application: applicationName, userId: identifier });
export const pageInput = z.object({ limit: z.number().int().min(1).max(500), cursor: z.string().optional() });
const userGeneration = z.object({ userId: identifier, pseudonym, generation });
export const putCall = userCall.extend({ input: userInput });
export const patchCall = userCall.extend({ patch: userPatch });
export const listCall = pageInput.extend({ application: applicationName });
export const listInteractionsCall = userCall.extend({ query: pageInput });
export const interactionPosition = z.object({ time: z.number(), eventId: z.string() });
export const recordInteractionsCall = z.object({
  application: applicationName,
  batch: z.array(userGeneration.extend({ interactions: z.array(acceptedInteraction) })).max(5000),
});
export const findInteractionsCall = z.object({
  application: applicationName,
  events: z.array(z.object({ userId: identifier, eventId: identifier })).max(4000),
});
export const recordLocationsCall = z.object({
  application: applicationName,
  batch: z.array(userGeneration.extend({ visits: z.array(placeVisit) })).max(1000),
});
export const eraseCall = z
  .object({
    application: applicationName,
    user: userGeneration.extend({ logPseudonym: pseudonym.optional() }),
    end: z.enum(["erased", "merged"]),
  })
  .refine(({ user, end }) => end === "merged" || user.logPseudonym !== undefined, {
    path: ["user", "logPseudonym"],
    message: "is required for an erased user",
  });
export const mergedCall = z.object({ application: applicationName, user: userGeneration });
export const tombstonesCall = z.object({
  application: applicationName,
  pseudonyms: z.array(pseudonym).max(10_000),
});
/** Maximum number of rows that one step of a merge copies. */
const maxHistoryRows = 1000;
/** Maximum number of rows of each table that one step of an erasure removes. */
export const maxErasedRowsPerStep = 5000;
export const readHistoryCall = userCall.extend({
  after: z.string(),
  limit: z.number().int().min(1).max(maxHistoryRows),
});
export const readVisitsCall = readHistoryCall.extend({ after: z.number().int() });
const historyRow = z.looseObject({
  event_id: identifier,
  type: storedType,
  product_id: identifier,
  time: epochSeconds,
  lat: z.number().nullable(),
  lon: z.number().nullable(),
  recommendation_id: z.string().nullable(),
  first: z.number(),
  first_purchase: z.number(),
});
const ids = z.array(z.string());
export const insertHistoryCall = z.object({
  application: applicationName,
  into: userGeneration,
  from: userGeneration,
  rows: z.array(historyRow).max(maxHistoryRows),
  known: z.object({ equal: ids, conflicting: ids, chosen: ids, purchased: ids }),
});
export const adoptCall = z.object({
  application: applicationName,
  fromUserId: identifier,
  into: userGeneration,
});
export const totalsCall = z.object({
  application: applicationName,
  productIds: z.array(identifier).max(1000),
});

export const rebuildTotalsCall = z.object({
  application: applicationName,
  limit: z.number().int().min(1).max(10_000),
});

export const consentLimitsCall = z.object({
  application: applicationName,
  userIds: z.array(identifier).max(10_000),
});
/** Maximum number of locations that one step of a coarsening replaces. */
const maxReplacements = 1000;
export const replaceLocationsCall = userCall.extend({
  replacements: z.object({
    precision,
    interactions: z.array(z.object({ eventId: identifier, location: point.nullable() })).max(maxReplacements),
    visits: z.array(z.object({ seq: z.number().int(), location: point.nullable() })).max(maxReplacements),
  }),
});
