import * as z from "zod";
import { decidedFilter, type ResolvedLocation } from "./location.ts";
import { categoryName, identifier, point } from "./primitives.ts";

/**
 * Weights of the first stage, which selects the candidates for the ranker. Its score is linear in a few columns and in
 * the logarithm of proximity. A model's manifest contains weights that were learned from the model's training events.
 */
export const firstStage = z.object({
  /** Weight of log(1 + number of users who chose the product). */
  people: z.number(),
  /** Weight of log(1 + engagement of the last week + half the engagement of the last months). */
  hot: z.number(),
  /** Weight of a product that no user has chosen or dismissed yet. */
  fresh: z.number(),
  /** Weight of log(proximity to the user + `usual` × proximity to their usual places). */
  near: z.number(),
  /** Weight of the user's usual places within `near`. */
  usual: z.number().min(0),
  /** Weight of log(1 + the user's choices in the product's category); of -log(1 - choices) if they are negative. */
  category: z.number().default(0),
  /** Weight of how popular the category is at the local hour. */
  hour: z.number().default(0),
});
export type FirstStage = z.infer<typeof firstStage>;

/** A point with a weight. */
export const weightedPoint = point.extend({ weight: z.number().min(0) });
export type WeightedPoint = z.infer<typeof weightedPoint>;

/**
 * A user's affinity to a category: its name, and the number of choices less the dismissals. It is negative for a
 * category that the user rejects.
 */
export const categoryAffinity = z.object({
  name: categoryName,
  choices: z.number(),
});
export type CategoryAffinity = z.infer<typeof categoryAffinity>;

/** Products that a query excludes, at most: those of the request, of pages before, and those that the user's history hides. */
export const maxExcludedProducts = 2500;
/** Categories that a query excludes, at most. */
export const maxExcludedCategories = 1000;

/** Query of the first stage. */
export const firstStageQuery = z.object({
  /** Where the user is; null if unknown. */
  point: point.nullable(),
  /** The user's usual places. The weights add up to at most 1. */
  usual: z.array(weightedPoint).max(16),
  /** The user's category affinities. */
  categories: z.array(categoryAffinity).max(128),
  /** Local hour at the user's location, 0 to 23; null leaves the hour out of the score. */
  hour: z.number().int().min(0).max(23).nullable(),
  limit: z.number().int().min(1).max(1000),
  filter: decidedFilter,
  /** Products that are no candidates. */
  exclude: z.array(identifier).max(maxExcludedProducts).optional(),
  /** Categories whose products are no candidates. */
  excludeCategories: z.array(categoryName).max(maxExcludedCategories).optional(),
  /** Groups of variants that are no candidates. */
  excludeGroups: z.array(identifier).max(1).optional(),
  /** How many candidates one group of variants and one category may be. */
  caps: z
    .object({ perGroup: z.number().int().min(1).optional(), perCategory: z.number().int().min(1).optional() })
    .optional(),
  /** Whether the list shows nothing that few users did: one that everybody may see, or that of a stranger. */
  hidesSmallCounts: z.boolean().optional(),
  /** Time of the query, in seconds since the epoch. Decayed columns of the answer are computed for this time. */
  now: z.number(),
  weights: firstStage,
});
export type FirstStageQuery = z.infer<typeof firstStageQuery>;

/** A product's id, with the address or cell under which it was last seen. */
export const productRef = z.object({ productId: identifier, cell: z.string() });
export type ProductRef = z.infer<typeof productRef>;

/** One of the user's last choices, with the products that the user chose next after it in the past. */
export interface LastChoice {
  productId: string;
  nextProducts: ProductRef[];
}

/** Query of `LocationApi.gatherCandidates`: everything that one recommendation reads from the spatial index. */
export interface CandidateRequest {
  near: FirstStageQuery;
  /** Products that the user chose before, the last choices first. */
  chosen: ProductRef[];
  /** The user's last choices, newest first. */
  last: LastChoice[];
  /**
   * Timeout in milliseconds for the candidates from the user's history and for the location's names; null waits for
   * all. Nearby candidates are always waited for.
   */
  profileTimeoutMs: number | null;
}

/** Candidates for one recommendation, in blocks of products. A block is null if it is empty or was skipped. */
export interface CandidateBlocks<Block> {
  /** The best products by the first stage, best first. */
  near: Block | null;
  /** Products that the user chose before. The rows of the last choices contain their next products. */
  chosen: Block | null;
  /** Next products of the last choices, of this user and of all users, without the products of the other blocks. */
  next: Block | null;
  /** Skipped sources, each with its reason, for example `near: failed`. */
  skipped: string[];
  /**
   * City, country and timezone of the user's location; null without a location; `skipped` says why they are missing.
   */
  place: ResolvedLocation | { skipped: string } | null;
}
