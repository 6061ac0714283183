import { z } from "zod";
import { productFilter, type ResolvedLocation } from "./location.ts";
import { identifier, point } from "./primitives.ts";

/**
 * Weights of the first stage: a score that is linear in a few columns and in the logarithm of proximity, by which what
 * the ranker sees is cut out of all that is near. A model brings its own, learnt from the same events.
 */
export const firstStage = z.object({
  /** Of log(1 + people who chose it). */
  people: z.number(),
  /** Of log(1 + engagement of this week + half of these months'). */
  hot: z.number(),
  /** Of being chosen by nobody yet. */
  fresh: z.number(),
  /** Of log(proximity): to the person, and `usual` times that to their usual places. */
  near: z.number(),
  usual: z.number().min(0),
  /** Of log(1 + the person's choices of its category), and of how much the local hour speaks for the category. */
  category: z.number().default(0),
  hour: z.number().default(0),
});
export type FirstStage = z.infer<typeof firstStage>;

/** A point with what it counts for. */
export const weightedPoint = point.extend({ weight: z.number().min(0) });
export type WeightedPoint = z.infer<typeof weightedPoint>;

/** A category with how much the person leans to it. */
export const categoryAffinity = z.object({
  hash: z.number().int().min(0).max(0xffffffff),
  choices: z.number().min(0),
});
export type CategoryAffinity = z.infer<typeof categoryAffinity>;

/** What the first stage is asked. */
export const firstStageQuery = z.object({
  /** Where the person is. */
  point: point.nullable(),
  /** Where they usually are; weights add up to one at most. */
  usual: z.array(weightedPoint).max(16),
  /** What they chose before, by category. */
  categories: z.array(categoryAffinity).max(128),
  /** The hour on the clocks there; null where it does not matter. */
  hour: z.number().int().min(0).max(23).nullable(),
  limit: z.number().int().min(1).max(1000),
  filter: productFilter,
  /** Seconds since the epoch: decayed columns of the answer are as of then. */
  now: z.number(),
  weights: firstStage,
});
export type FirstStageQuery = z.infer<typeof firstStageQuery>;

/** A product by its id and the cell in which it was last seen. */
export const productRef = z.object({ productId: identifier, cell: z.string() });
export type ProductRef = z.infer<typeof productRef>;

/** One of the last things that a person chose, and what they went on to from it before. */
export const lastChoice = z.object({ productId: identifier, transitions: z.array(productRef).max(1000) });
export type LastChoice = z.infer<typeof lastChoice>;

/** All that one recommendation reads of places. */
export const candidateRequest = z.object({
  near: firstStageQuery,
  /** What the person chose before, the last choices first. */
  chosen: z.array(productRef).max(1000),
  /** The newest first. */
  last: z.array(lastChoice).max(8),
  /** Milliseconds for what the person leads to, and for names; null where they are waited for. What is near always is. */
  withinMs: z.number().min(0).nullable(),
});
export type CandidateRequest = z.infer<typeof candidateRequest>;

/** What was read around a person: blocks of products, each null where there are none or they were left out. */
export interface CandidateBlocks<Block> {
  /** The best by the cheap first stage, best first. */
  near: Block | null;
  /** What they chose before; the last choices with what is often chosen next. */
  chosen: Block | null;
  /** What followed the last choices, for them and for everyone, without what is in the two others. */
  next: Block | null;
  /** What was left out, each with its reason. */
  skipped: string[];
  /** Names of where they are; null where that is nowhere, or a reason why it was left out. */
  place: ResolvedLocation | { skipped: string } | null;
}
