import { z } from "zod";
import { recommendationReceipt } from "./recommendation.ts";

/** What a recommendation leaves with its person: the receipt, and what the ranker saw of the shown and some others. */
export const impression = z.object({
  receipt: recommendationReceipt,
  featureHash: z.string(),
  rows: z.array(
    z.object({
      productId: z.string(),
      position: z.number().int(),
      propensity: z.number(),
      score: z.number(),
      /** Feature inputs of the row by name, base64 of little-endian float32. */
      features: z.record(z.string(), z.string()),
    }),
  ),
});
export type Impression = z.infer<typeof impression>;
