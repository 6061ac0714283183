import type { Merge, MergeCancellation, MergeStore } from "../../../shared/contracts/merge.ts";
import { mergeStores } from "../../../shared/contracts/merge.ts";
import { type Precision, toInstant } from "../../../shared/contracts/primitives.ts";
import type { Refusal } from "../../../shared/contracts/result.ts";
import { storeProgress } from "../jobs/phases.ts";
import type { MergeCommitted } from "./merge-messages.ts";

/**
 * The phases of a merge, in order. `prepare` asks the target. `drain` waits until the open rows of the source are
 * delivered. `close` sets the tombstone, after which no row of the source is inserted. `events` and `receipts` stage
 * pages in the target. `commit` is one transaction of the target: until then the merge can be cancelled, from then on
 * it ends. The next phases copy rows in the user database and delete those of the source. `object` deletes what the
 * source's object holds.
 */
export const mergePhases = [
  "prepare",
  "drain",
  "close",
  "events",
  "receipts",
  "commit",
  "interactions",
  "locations",
  "settings",
  "records",
  "object",
  "finished",
] as const;
export type MergePhase = (typeof mergePhases)[number];

/** The first phase in which a store is done. */
const firstPhaseAfter: Record<MergeStore, MergePhase> = {
  outbox: "close",
  events: "receipts",
  receipts: "commit",
  profile: "interactions",
  interactions: "locations",
  locations: "settings",
  settings: "records",
  records: "object",
};

/** The stored state of a merge, in the object of the user that is merged. Times are seconds since the epoch. */
export interface MergeState {
  id: string;
  application: string;
  /** Id of the user that is merged; null once the merge has ended. */
  userId: string | null;
  /** The generation that is merged. */
  generation: number;
  /** Id of the user that stays; null once the merge has ended. */
  intoUserId: string | null;
  /** Pseudonym of the user that stays, whose object holds the receipts; null once it leads nowhere. */
  intoPseudonym: string | null;
  /** Names the user that stays, who may read the merge, also after it was cancelled: a hash with the id of the merge. */
  reader: string;
  status: Merge["status"];
  /** Whether the user takes no events, because they are merged. */
  isFrozen: boolean;
  /** Whether a client was told that the merge has begun. */
  isAnnounced: boolean;
  /** Whether the merge ends as soon as the target confirms that it was not committed. */
  isCancelling: boolean;
  reason: MergeCancellation | null;
  /**
   * The erasure of this user that the erasure of the other one began, or that was requested after the merge; null if
   * there is none.
   */
  erasureId: string | null;
  /** Why the target refused; null if it did not. */
  refusal: Refusal | null;
  phase: MergePhase;
  /** Where the phase continues; null at its beginning. */
  position: string | null;
  /** The precision of the target when the merge was prepared; null before. */
  precision: Precision | null;
  committed: MergeCommitted | null;
  moved: Partial<Record<MergeStore, number>>;
  requested: number;
  completed: number | null;
  /** When the next step runs; null if the merge has ended. */
  due: number | null;
  /** Attempts of the present step that failed or had to wait. */
  failures: number;
}

/** Returns whether the phase of a merge is after another one. */
export const isAfter = (phase: MergePhase, other: MergePhase): boolean =>
  mergePhases.indexOf(phase) > mergePhases.indexOf(other);

/** Returns a merge in the form of the API. */
export function mergeOf({ id, status, phase, reason, moved, requested, completed }: MergeState): Merge {
  return {
    id,
    status,
    requestedAt: toInstant(requested),
    completedAt: completed === null ? null : toInstant(completed),
    reason,
    stores: storeProgress(mergeStores, firstPhaseAfter, mergePhases, phase).map((progress) => ({
      store: progress.store,
      status: status === "cancelled" ? status : progress.status,
      moved: moved[progress.store] ?? 0,
    })),
  };
}
