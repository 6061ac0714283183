import { z } from "zod";
import { identifier, instant } from "./primitives.ts";

/**
 * Where something of a person may be. `records`: profile, interactions and places in D1; `object`: what their object
 * remembers; `receipts`: what they were shown; `dead_letters`; `training_log`. `cells` and `caches` hold nothing of
 * anybody: cells count, caches are of products.
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

/** The erasure of a person, without saying who it was. */
export const erasure = z.object({
  id: identifier,
  status: z.enum(["running", "done"]),
  requestedAt: instant,
  completedAt: instant.nullable(),
  stores: z.array(
    z.object({
      store: z.enum(erasureStores),
      status: z.enum(["waiting", "running", "done"]),
      /** Rows, receipts, letters or lines that were removed. */
      removed: z.number().int(),
    }),
  ),
});
export type Erasure = z.infer<typeof erasure>;
