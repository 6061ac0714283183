import * as z from "zod";
import { collectedConsent } from "./consent.ts";
import { acceptedInteraction, eventType } from "./event.ts";
import { loggedCandidate } from "./impression.ts";
import {
  applicationName,
  epochSeconds,
  generation,
  identifier,
  plainId,
  precision,
  pseudonym,
} from "./primitives.ts";

/**
 * A training example: an impression whose click window has closed, with the features of its rows and their outcomes.
 */
export const trainingExample = z.object({
  recommendationId: plainId,
  time: epochSeconds,
  modelVersion: z.string(),
  featureHash: z.string(),
  variant: z.string(),
  /** Country of the user's location, ISO 3166-1 alpha-2; null if unknown. */
  country: z.string().nullable(),
  /** Inverse of the sampling rate of impressions without events; 1 if the example was not sampled. */
  weight: z.number().positive(),
  /** Number of candidates that were ranked; `rows` is a sample of them. */
  candidates: z.number().int(),
  /** Temperature by which the order of the list was drawn; absent if the list has the order of its ranking. */
  rankTemperature: z.number().positive().optional(),
  rows: z.array(
    loggedCandidate.extend({
      /** Strongest event within the click window; null if there was none. */
      outcome: eventType.nullable(),
    }),
  ),
  /** The consent under which the list's place was used, `none` for a list without a place; absent in earlier versions. */
  consent: collectedConsent.optional(),
  /** Features of the rows, in their order: base64 of the output of `model/features/pack-features.ts`. */
  features: z.base64(),
});
export type TrainingExample = z.infer<typeof trainingExample>;

/** A purchase after the click window. Recalibration joins it to its example by `recommendationId`. */
export const trainingCorrection = z.object({
  recommendationId: plainId,
  productId: identifier,
  outcome: eventType,
  time: epochSeconds,
});
export type TrainingCorrection = z.infer<typeof trainingCorrection>;

/** What an experiment measures of a user, besides exposures and successes. All sums only grow. */
export const experimentMeasures = z.object({
  /** Number of these measures; the largest is the newest. */
  revision: z.number().int().min(1),
  /** Purchases after the first exposure, and the units that were bought. */
  orders: z.number().int().min(0),
  units: z.number().int().min(0),
  /** What the purchases were worth, in minor units, by currency. */
  revenue: z.record(z.string(), z.number().int().min(0)),
  /** Sum of the diversity of the lists of the exposures; see `measures` of a receipt. */
  diversity: z.number().min(0),
  /** Sum of the milliseconds that the lists took. */
  latencyMs: z.number().min(0),
});
export type ExperimentMeasures = z.infer<typeof experimentMeasures>;

/**
 * A user's counts in one arm of an experiment. The counts are absolute and only grow, so that the largest is the newest
 * and a message may repeat.
 */
export const experimentCounts = z.object({
  experiment: z.string().min(1).max(128),
  arm: z.string().min(1).max(64),
  /** Recommendations whose click window has closed. */
  exposures: z.number().int().min(1),
  /** Exposures after which the user clicked, carted or bought a shown product within the click window. */
  successes: z.number().int().min(0),
  /** Absent for the rollout of a model. */
  measures: experimentMeasures.optional(),
});
export type ExperimentCounts = z.infer<typeof experimentCounts>;

/**
 * A row of a user's outbox: an interaction, a training example, its correction, or the user's counts in an experiment.
 */
export const outboxRow = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("interaction"), seq: z.number().int(), interaction: acceptedInteraction }),
  z.object({ kind: z.literal("example"), seq: z.number().int(), example: trainingExample }),
  z.object({ kind: z.literal("correction"), seq: z.number().int(), correction: trainingCorrection }),
  z.object({ kind: z.literal("counts"), seq: z.number().int(), counts: experimentCounts }),
]);
export type OutboxRow = z.infer<typeof outboxRow>;

const userGeneration = {
  userId: identifier,
  pseudonym,
  /** Consumers drop data whose generation a tombstone covers. */
  generation: generation.default(0),
};

/** Rows of one user's outbox. */
export const userRows = z.object({ ...userGeneration, rows: z.array(outboxRow).min(1) });
export type UserRows = z.infer<typeof userRows>;

/** A message of queue `interactions`: outbox rows of at most 100 users, each user once. */
export const interactionsMessage = z.object({
  application: applicationName,
  users: z.array(userRows).min(1).max(100),
});
export type InteractionsMessage = z.infer<typeof interactionsMessage>;

/** The precision of a visit. Version 0.2, whose messages may still be queued, called `approximate` by another name. */
const visitPrecision = z.preprocess((level) => (level === "1km" ? "approximate" : level), precision);

/** A location that a user reported, at the precision that they allowed. `seq` numbers the user's visits. */
export const placeVisit = z.object({
  seq: z.number().int(),
  lat: z.number(),
  lon: z.number(),
  time: epochSeconds,
  precision: visitPrecision,
  /** Version of the user's settings when the location was reported; absent in rows of earlier versions. */
  version: z.number().int().optional(),
});
export type PlaceVisit = z.infer<typeof placeVisit>;

/** A message of queue `locations`: locations that one user reported. */
export const locationsMessage = z.object({
  application: applicationName,
  ...userGeneration,
  rows: z.array(placeVisit).min(1),
});
export type LocationsMessage = z.infer<typeof locationsMessage>;

/**
 * A message of queue `catalogue`: ids of products with open outbox rows. The consumer reads the products' newest state
 * from D1.
 */
export const catalogMessage = z.object({
  application: applicationName,
  productIds: z.array(identifier).min(1).max(500),
});
export type CatalogMessage = z.infer<typeof catalogMessage>;
