import * as z from "zod";
import { identifier } from "./primitives.ts";
import { receiptRecord } from "./receipt.ts";
import type { Requester } from "./requester.ts";

/** A candidate of an impression, shown or not shown. */
export const loggedCandidate = z.object({
  productId: identifier,
  /** Position in the list, from 1; 0 if the candidate was not shown. */
  position: z.number().int().min(0),
  /**
   * Probability that the logging policy shows the product, at this position or, if it was not shown, at the last one; 0
   * for a product that no list could show. If the order was drawn, the probability is that after the products before.
   */
  propensity: z.number().min(0).max(1),
  /** Score of the model. */
  score: z.number(),
  /** The product's category, as the application writes it; null if it has none. */
  category: z.string().nullable(),
  /**
   * Position in the ranking, from 1, of a product that the policy might show; 0 for one of the sample of the others. Absent
   * in earlier versions.
   */
  rank: z.number().int().min(0).optional(),
  /** The score that orders the list: the model's, with boosts, distance and history. Absent in earlier versions. */
  listScore: z.number().optional(),
  /**
   * The squares of 0.25, 1 and 4 km that contain the product, each numbered within this list; empty for a product without
   * a location. Absent in earlier versions.
   */
  squares: z.array(z.number().int().min(0)).max(3).optional(),
});

/**
 * What the recommendation worker stores in the user's Durable Object after a recommendation: the receipt, and the
 * features of the candidates that it might have shown and of a sample of the others.
 */
export const impression = z.object({
  receipt: receiptRecord,
  featureHash: z.string(),
  /** Temperature by which the order of the list was drawn; absent if the list has the order of its ranking. */
  rankTemperature: z.number().positive().optional(),
  rows: z.array(loggedCandidate),
  /** Features of the rows, in their order, packed by `model/features/pack-features.ts`. */
  features: z.instanceof(Uint8Array<ArrayBuffer>),
  /** What the list was computed from, compressed by gzip; absent if it is not recorded. */
  inputs: z.instanceof(Uint8Array<ArrayBuffer>).optional(),
});
export type Impression = z.infer<typeof impression>;

/** An impression, and who asked for the recommendation. */
export interface RequestedImpression {
  impression: Impression;
  requester: Requester;
}
