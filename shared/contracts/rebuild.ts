import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { productChange } from "./product.ts";
import { productTotals } from "./totals.ts";

/** The parts of a rebuild, in order. Each part reads the result of the previous one. */
export const rebuildParts = ["totals", "cells", "neighbours"] as const;
export const rebuildPart = z.enum(rebuildParts);
export type RebuildPart = z.infer<typeof rebuildPart>;

/** Body of a rebuild step. `cursor` is the `nextCursor` of the previous step; absent for the first step. */
export const rebuildInput = nullIsAbsent(z.strictObject({ cursor: z.string().min(1).max(1024).optional() }));
export type RebuildInput = z.infer<typeof rebuildInput>;

/** Result of a rebuild step. The rebuild is complete when `nextCursor` is absent. A step may be repeated. */
export const rebuildStep = z.object({
  part: rebuildPart,
  /** Number of products (part `totals`), cells (part `cells`) or users (part `neighbours`) that the step rebuilt. */
  done: z.number().int(),
  nextCursor: z.string().optional(),
});
export type RebuildStep = z.infer<typeof rebuildStep>;

/** Position of a product in the order in which cells are rebuilt: by address, then by id. `cell` is the address. */
export const productPosition = z.object({ cell: z.string(), productId: z.string() });
export type ProductPosition = z.infer<typeof productPosition>;

/** The products after `after`, up to and including `upTo`. Null means no bound on that side. */
export const productRange = z.object({ after: productPosition.nullable(), upTo: productPosition.nullable() });
export type ProductRange = z.infer<typeof productRange>;

/** A product that a cell must hold, and its totals. Both were read from D1. */
export const cellContent = z.object({ change: productChange, totals: productTotals.nullable() });
export type CellContent = z.infer<typeof cellContent>;
