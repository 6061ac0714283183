import { z } from "zod";
import { productChange } from "./product.ts";
import { productTotals } from "./totals.ts";

/** What is made anew, in this order: each builds on the one before. */
export const rebuildParts = ["totals", "cells", "neighbours"] as const;
export const rebuildPart = z.enum(rebuildParts);
export type RebuildPart = z.infer<typeof rebuildPart>;

/** One step of a rebuild; `cursor` is of the step before, absent for the first. */
export const rebuildInput = z.strictObject({ cursor: z.string().min(1).max(512).optional() });
export type RebuildInput = z.infer<typeof rebuildInput>;

/** What a step did. A step may be repeated: only whoever gets no `nextCursor` is done. */
export const rebuildStep = z.object({
  part: rebuildPart,
  /** Products whose totals, cells, or people whose steps were made anew. */
  done: z.number().int(),
  nextCursor: z.string().optional(),
});
export type RebuildStep = z.infer<typeof rebuildStep>;

/** A product by its address and id: the order in which cells are filled anew. */
export const productPosition = z.object({ cell: z.string(), productId: z.string() });
export type ProductPosition = z.infer<typeof productPosition>;

/** Products after `after` up to `upTo`; without a beginning or an end where they are null. */
export const productRange = z.object({ after: productPosition.nullable(), upTo: productPosition.nullable() });
export type ProductRange = z.infer<typeof productRange>;

/** A product that cells must hold, by the records of truth. */
export const cellContent = z.object({ change: productChange, totals: productTotals.nullable() });
export type CellContent = z.infer<typeof cellContent>;
