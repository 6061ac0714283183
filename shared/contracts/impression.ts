import { z } from "zod";
import { identifier } from "./primitives.ts";
import { recommendationReceipt } from "./recommendation.ts";

/** A candidate of an impression, shown or not. */
export const loggedCandidate = z.object({
  productId: identifier,
  /** From 1; 0 for a candidate that was not shown. */
  position: z.number().int().min(0),
  /** Probability with which the logging policy shows the product where it was shown; 0 for one that was not shown. */
  propensity: z.number().min(0).max(1),
  score: z.number(),
  /** The product's category, as the application writes it; null where it has none. */
  category: z.string().nullable(),
});

/** What a recommendation leaves with its person: the receipt, and what the ranker saw of the shown and some others. */
export const impression = z.object({
  receipt: recommendationReceipt,
  featureHash: z.string(),
  rows: z.array(loggedCandidate),
  /** Features of the rows, in their order; packed by `model/features/pack-features.ts`. */
  features: z.instanceof(Uint8Array<ArrayBuffer>),
});
export type Impression = z.infer<typeof impression>;
