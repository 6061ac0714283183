import * as z from "zod";
import { answerLocation, receiptFilter } from "./location.ts";
import { identifier, plainId } from "./primitives.ts";
import { candidateSourceName, purchasedRule, recommendationFields, stage } from "./recommendation.ts";

/** A candidate of an impression: shown, or sampled from those not shown. */
export const impressionItem = z.object({
  productId: identifier,
  /** Position in the list, over all its pages, from 1; 0 for a candidate that was ranked but not shown. */
  position: z.number().int(),
  score: z.number(),
  /**
   * Probability that the logging policy shows this item at this position, after the pages before; of a list whose order was
   * drawn, also after the products before.
   */
  propensity: z.number(),
  sources: z.array(candidateSourceName).optional().meta({
    description:
      "The candidate sources that found the product. Absent in receipts of earlier versions, and for a key without `people:read`.",
  }),
});

const {
  userId: _user,
  location: _location,
  filter: _filter,
  purchased: _purchased,
  cursor: _cursor,
  ...requestOfReceipt
} = recommendationFields.shape;

/** A request with its defaults, and the settings of the deployment that decided its list. What a newer release adds is left out. */
export const receiptInput = z.object({
  ...requestOfReceipt,
  limit: z.number().int(),
  candidates: z.number().int(),
  diversity: z.number(),
  explain: z.boolean(),
  /** The filter with its currency. */
  filter: receiptFilter,
  purchased: purchasedRule,
  purchasedDays: z.number(),
  dismissedDays: z.number(),
  exploration: z.object({ rate: z.number(), depth: z.number(), drawn: z.number().optional() }).meta({
    description:
      "How often the last position shows one of so many next products instead, and how often the order of the list is drawn.",
  }),
  hidesSmallCounts: z.boolean().meta({
    description: "Whether counts of few users were hidden, because nobody vouches for the user.",
  }),
});
export type ReceiptInput = z.infer<typeof receiptInput>;

/** The receipt of a recommendation: what was shown, with which probability, by which model. */
export const recommendationReceipt = z.object({
  recommendationId: plainId,
  time: z.string(),
  model: z.object({ version: z.string(), sha256: z.string() }),
  variant: z.string(),
  location: answerLocation,
  continues: plainId.optional().meta({
    description: "The `recommendationId` of the first page, if this is a later page of a list.",
  }),
  candidates: z.number().int(),
  items: z.array(impressionItem),
  stages: z.array(stage),
  input: receiptInput.optional().meta({
    description:
      "The request with its defaults, and the settings that decided the list. Absent in receipts of earlier versions.",
  }),
  sources: z
    .object({ near: z.number().int(), chosen: z.number().int(), next: z.number().int() })
    .optional()
    .meta({
      description:
        "How many candidates each source found; one may be found by several. Absent in receipts of earlier versions, and for a key without `people:read`.",
    }),
});
export type RecommendationReceipt = z.infer<typeof recommendationReceipt>;

/** A receipt as the user's object stores it. */
export const receiptRecord = recommendationReceipt.extend({
  /** Whether keys that may not know the user's place must not learn the place of this recommendation. */
  isPlacePrivate: z.boolean().default(true),
  /** What experiments measure of the list; absent outside of experiments. */
  measures: z
    .object({
      /** Pairs of products of different categories, as a share of all pairs: 0 to 1. */
      diversity: z.number().min(0).max(1),
      /** Milliseconds that the list took. */
      latencyMs: z.number().min(0),
    })
    .optional(),
});
export type ReceiptRecord = z.infer<typeof receiptRecord>;

/** Something without which a list cannot be computed again, or not as it was. */
export const replayLoss = z.object({
  what: z.enum(["inputs", "model", "code"]).meta({
    description:
      "`inputs`: what the list was computed from is not stored. `model`: the version that ranked it was deleted. `code`: this release computes another list from the same inputs.",
  }),
  detail: z.string(),
});
export type ReplayLoss = z.infer<typeof replayLoss>;

/** Answer of `POST /v1/recommendations/{id}/replay`. */
export const replay = z.object({
  recommendationId: plainId,
  same: z.boolean().meta({
    description:
      "Whether the list was computed again with the same products, scores and propensities, to the last bit.",
  }),
  items: z.array(impressionItem.omit({ sources: true })).meta({
    description: "The list that was computed again; empty if that is not possible.",
  }),
  gone: z.array(replayLoss).meta({ description: "Why the list is not the same; empty if it is." }),
});
export type Replay = z.infer<typeof replay>;
