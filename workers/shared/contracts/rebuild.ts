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

/** All that a leaf cell must hold, by the records of truth. */
export const cellContent = z.object({
  cell: z.string(),
  products: z.array(z.object({ change: productChange, totals: productTotals.nullable() })),
});
export type CellContent = z.infer<typeof cellContent>;

/** Leaf cells by name: those after `after` up to `upTo`, without an end where it is null. */
export const cellRange = z.object({ after: z.string(), upTo: z.string().nullable() });
export type CellRange = z.infer<typeof cellRange>;
