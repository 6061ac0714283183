import { z } from "zod";
import { acceptedInteraction, eventType } from "./event.ts";
import { loggedCandidate } from "./impression.ts";
import { applicationName, epochSeconds, generation, identifier, precision, pseudonym } from "./primitives.ts";

/** An impression whose click window has closed: what the ranker saw, what was shown, what came of it. */
export const trainingExample = z.object({
  recommendationId: identifier,
  time: epochSeconds,
  modelVersion: z.string(),
  featureHash: z.string(),
  variant: z.string(),
  /** Where the person was, ISO 3166 code; null where that is not known. */
  country: z.string().nullable(),
  /** Weight that makes up for sampling impressions without any event; 1 where all are kept. */
  weight: z.number().positive(),
  /** Candidates that were ranked, of which `rows` is a sample. */
  candidates: z.number().int(),
  rows: z.array(
    loggedCandidate.extend({
      /** Strongest event within the window, null for none. */
      outcome: eventType.nullable(),
    }),
  ),
  /** Features of the rows, in their order: base64 of what `model/features/pack-features.ts` packs. */
  features: z.base64(),
});
export type TrainingExample = z.infer<typeof trainingExample>;

/** A purchase after the click window: joined to its example by `recommendationId` at the snapshot. */
export const trainingCorrection = z.object({
  recommendationId: identifier,
  productId: identifier,
  outcome: eventType,
  time: epochSeconds,
});
export type TrainingCorrection = z.infer<typeof trainingCorrection>;

/** What the person did in an arm of an experiment so far: absolute counts, of which the largest is the newest. */
export const experimentCounts = z.object({
  experiment: z.string().min(1).max(128),
  arm: z.string().min(1).max(64),
  /** Recommendations whose click window has closed. */
  exposures: z.number().int().min(1),
  /** ... of which something came. */
  successes: z.number().int().min(0),
});
export type ExperimentCounts = z.infer<typeof experimentCounts>;

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
  /** What is of a life that was erased meets its tombstone wherever it goes. */
  generation: generation.default(0),
};

/** Rows of one person's outbox. */
export const userRows = z.object({ ...userGeneration, rows: z.array(outboxRow).min(1) });
export type UserRows = z.infer<typeof userRows>;

/** A message of queue `interactions`: rows of the outboxes of some people, each at most once. */
export const interactionsMessage = z.object({
  application: applicationName,
  users: z.array(userRows).min(1).max(100),
});
export type InteractionsMessage = z.infer<typeof interactionsMessage>;

export const placeVisit = z.object({
  seq: z.number().int(),
  lat: z.number(),
  lon: z.number(),
  time: epochSeconds,
  precision,
});
export type PlaceVisit = z.infer<typeof placeVisit>;

/** A message of queue `locations`. */
export const locationsMessage = z.object({
  application: applicationName,
  ...userGeneration,
  rows: z.array(placeVisit).min(1),
});
export type LocationsMessage = z.infer<typeof locationsMessage>;

/** A message of queue `catalogue`: products whose outbox rows are open; the consumer reads their newest state. */
export const catalogMessage = z.object({
  application: applicationName,
  productIds: z.array(identifier).min(1).max(500),
});
export type CatalogMessage = z.infer<typeof catalogMessage>;
