import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { identifier } from "./primitives.ts";
import { recommendationAnswer, recommendationFields } from "./recommendation.ts";
import { inputIssue, refusalCode } from "./result.ts";

/** Users of one batch, at most, and products of each of its lists. */
export const maxBatchUsers = 100;
export const maxBatchLimit = 20;

/** Body of `POST /v1/recommendations/batch`: users, and the fields of the request of each of them. Null means absent. */
export const recommendationBatchInput = nullIsAbsent(
  recommendationFields
    .omit({ ...{ userId: true, location: true, cursor: true }, ...{ explain: true, budgetMs: true } })
    .extend({
      userIds: z
        .array(identifier)
        .min(1)
        .max(maxBatchUsers)
        .refine((ids) => new Set(ids).size === ids.length, "must name each user once"),
      limit: z.number().int().min(1).max(maxBatchLimit).optional().meta({
        description: "Products of each list, at most; that of the scenario if absent, else 10.",
      }),
    }),
);
export type RecommendationBatchInput = z.infer<typeof recommendationBatchInput>;

/** What a batch has for one user: a list, or why there is none. */
export const recommendationBatchItem = z.object({
  userId: identifier,
  recommendation: recommendationAnswer.optional(),
  error: z
    .object({
      code: refusalCode,
      detail: z.string(),
      errors: z.array(inputIssue).optional(),
      retryAfter: z.number().optional().meta({
        description: "Seconds after which the user can be sent again; absent if that does not help.",
      }),
    })
    .optional()
    .meta({ description: "Present in place of `recommendation` if there is no list for the user." }),
});
export type RecommendationBatchItem = z.infer<typeof recommendationBatchItem>;

/** Answer of `POST /v1/recommendations/batch`: the users in the order of the request. */
export const recommendationBatch = z.object({ items: z.array(recommendationBatchItem) });
export type RecommendationBatch = z.infer<typeof recommendationBatch>;
