import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { identifier, instant, plainId } from "./primitives.ts";

/** Body of `POST /v1/users/{id}/merge`: the user whose data becomes that of the user in the path. */
export const mergeInput = nullIsAbsent(
  z.strictObject({
    from: identifier,
    /** The token of `from`, which a caller with a token must send too. */
    fromToken: z.string().min(1).max(4096).optional(),
  }),
);
export type MergeInput = z.infer<typeof mergeInput>;

/**
 * What a merge moves, in this order:
 * - `outbox`: nothing is moved; the merge waits until each event that was accepted is in the user database
 * - `events`: ids of recent events, so that an event that is sent again is a duplicate
 * - `receipts`: recommendations that were shown, with what the model saw and what followed
 * - `profile`: what recommendations are computed from
 * - `interactions` and `locations`: the history in the user database
 * - `settings`: home, consent and attributes, if the user that stays has stated none
 * - `records`: rows of the merged user that are deleted
 */
export const mergeStores = [
  "outbox",
  "events",
  "receipts",
  "profile",
  "interactions",
  "locations",
  "settings",
  "records",
] as const;
export type MergeStore = (typeof mergeStores)[number];

/** Why a merge was cancelled: one of the two users was erased, or the user that stays was merged into another. */
export const mergeCancellations = ["from_erased", "into_erased", "into_merged"] as const;
export type MergeCancellation = (typeof mergeCancellations)[number];

/** State of a merge. It names neither user. */
export const merge = z.object({
  id: plainId,
  status: z.enum(["running", "done", "cancelled"]),
  requestedAt: instant,
  completedAt: instant.nullable(),
  /** Why the merge was cancelled; null if it was not. */
  reason: z.enum(mergeCancellations).nullable(),
  stores: z.array(
    z.object({
      store: z.enum(mergeStores),
      status: z.enum(["waiting", "running", "done", "cancelled"]),
      /** Number of rows that were moved or deleted. */
      moved: z.number().int(),
    }),
  ),
});
export type Merge = z.infer<typeof merge>;
