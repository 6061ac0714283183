import * as z from "zod";
import { instant, plainId } from "./primitives.ts";

/**
 * The stores that an erasure reports on:
 * - `records`: profile, interactions and locations in D1
 * - `object`: the state of the user's Durable Object
 * - `receipts`: the recommendations that were shown to the user
 * - `dead_letters`: dead-letter messages that contain the user's data
 * - `training_log`: lines of the training log
 * - `cells` and `caches`: hold no user's data. Cells hold counts, caches hold products.
 */
export const erasureStores = [
  "records",
  "object",
  "receipts",
  "dead_letters",
  "training_log",
  "cells",
  "caches",
] as const;
export type ErasureStore = (typeof erasureStores)[number];

/** State of the erasure of one user. It does not name the user. */
export const erasure = z.object({
  id: plainId,
  status: z.enum(["running", "done"]),
  requestedAt: instant,
  completedAt: instant.nullable(),
  stores: z.array(
    z.object({
      store: z.enum(erasureStores),
      status: z.enum(["waiting", "running", "done"]),
      /** Number of rows, receipts, dead-letter messages or log lines that were removed. */
      removed: z.number().int(),
    }),
  ),
});
export type Erasure = z.infer<typeof erasure>;
