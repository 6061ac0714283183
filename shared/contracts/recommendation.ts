import { z } from "zod";
import { answerLocation, productFilter } from "./location.ts";
import { boundedRecord, identifier, point } from "./primitives.ts";
import { productCard } from "./product.ts";

/** `POST /v1/recommendations`. */
export const recommendationInput = z.strictObject({
  userId: identifier,
  location: point.optional(),
  limit: z.number().int().min(1).max(100).default(10),
  /** Products that the model ranks at most: fewer is quicker, more is finer. */
  candidates: z.number().int().min(20).max(500).default(500),
  filter: productFilter.optional(),
  /** Factors on the score by category, 0 to 10. */
  boost: boundedRecord(128, z.number().min(0).max(10)).optional(),
  /** 0: by score alone; 1: categories as different as can be (maximal marginal relevance). */
  diversity: z.number().min(0).max(1).default(0),
  caps: z.strictObject({ perCategory: z.number().int().min(1).max(100).optional() }).optional(),
  exclude: z.array(identifier).max(500).optional(),
  context: boundedRecord(64, z.union([z.string().max(256), z.number(), z.boolean()])).optional(),
  explain: z.boolean().default(false),
  /** Milliseconds that the answer may take; stages that no longer fit are left out and named. */
  budgetMs: z.number().int().min(1).max(10_000).optional(),
});
export type RecommendationInput = z.infer<typeof recommendationInput>;

export const stage = z.object({
  name: z.string(),
  ms: z.number(),
  /** Why the stage was left out or replaced. */
  skipped: z.string().optional(),
});
export type Stage = z.infer<typeof stage>;

export const recommendedItem = z.object({
  productId: identifier,
  rank: z.number().int(),
  score: z.number(),
  /** Great-circle distance to the person; null for a placeless product or an unknown place. */
  distanceKm: z.number().nullable(),
  product: productCard.omit({ cell: true, version: true }),
  reasons: z.array(z.string()).optional(),
});

/** The answer. `recommendationId` leads to its person without naming them. */
export const recommendationAnswer = z.object({
  recommendationId: identifier,
  model: z.object({ version: z.string(), sha256: z.string() }),
  variant: z.string(),
  location: answerLocation,
  items: z.array(recommendedItem),
  stages: z.array(stage),
  /** How many products were ranked. */
  candidates: z.number().int().optional(),
});
export type RecommendationAnswer = z.infer<typeof recommendationAnswer>;

/** One shown (or sampled) candidate of an impression. */
export const impressionItem = z.object({
  productId: identifier,
  /** From 1; 0 for a candidate that was ranked but not shown. */
  position: z.number().int(),
  score: z.number(),
  /** Probability that the logging policy shows this item at this position. */
  propensity: z.number(),
});

/** The decision receipt: what was shown, why, by which model. */
export const recommendationReceipt = z.object({
  recommendationId: identifier,
  time: z.string(),
  model: z.object({ version: z.string(), sha256: z.string() }),
  variant: z.string(),
  location: answerLocation,
  candidates: z.number().int(),
  items: z.array(impressionItem),
  stages: z.array(stage),
});
export type RecommendationReceipt = z.infer<typeof recommendationReceipt>;
