import * as z from "zod";
import { identifier } from "./primitives.ts";
import { receiptRecord } from "./recommendation.ts";
import type { Requester } from "./requester.ts";

/** A candidate of an impression, shown or not shown. */
export const loggedCandidate = z.object({
  productId: identifier,
  /** Position in the list, from 1; 0 if the candidate was not shown. */
  position: z.number().int().min(0),
  /** Probability that the logging policy shows the product at this position; 0 if it was not shown. */
  propensity: z.number().min(0).max(1),
  score: z.number(),
  /** The product's category, as the application writes it; null if it has none. */
  category: z.string().nullable(),
});

/**
 * What the recommendation worker stores in the user's Durable Object after a recommendation: the receipt, and the
 * features of the shown candidates and of a sample of the others.
 */
export const impression = z.object({
  receipt: receiptRecord,
  featureHash: z.string(),
  rows: z.array(loggedCandidate),
  /** Features of the rows, in their order, packed by `model/features/pack-features.ts`. */
  features: z.instanceof(Uint8Array<ArrayBuffer>),
});
export type Impression = z.infer<typeof impression>;

/** An impression, and who asked for the recommendation. */
export interface RequestedImpression {
  impression: Impression;
  requester: Requester;
}
