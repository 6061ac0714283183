import * as z from "zod";
import { instant, plainId, precision } from "./primitives.ts";

/**
 * The stores that a coarsening changes:
 * - `object`: profile and journal in the user's Durable Object
 * - `receipts`: recommendations for a finer place than the consent allows; they are removed
 * - `records`: home, interactions and locations in D1
 * - `dead_letters`: dead-letter messages with rows of the user
 * - `training_log`: training examples of lists for a finer place; they are removed
 */
export const coarseningStores = ["object", "receipts", "records", "dead_letters", "training_log"] as const;
export type CoarseningStore = (typeof coarseningStores)[number];

/** State of the coarsening of what is stored about one user, after their consent was lowered. It does not name the user. */
export const coarsening = z.object({
  id: plainId,
  /** The consent to which everything is coarsened. */
  precision,
  /** `replaced`: another coarsening to this or a coarser precision, or an erasure, does the work. */
  status: z.enum(["running", "done", "replaced"]),
  requestedAt: instant,
  completedAt: instant.nullable(),
  stores: z.array(
    z.object({
      store: z.enum(coarseningStores),
      status: z.enum(["waiting", "running", "done"]),
      /** Number of rows, receipts, dead-letter messages or log lines that were coarsened or removed. */
      changed: z.number().int(),
    }),
  ),
});
export type Coarsening = z.infer<typeof coarsening>;
