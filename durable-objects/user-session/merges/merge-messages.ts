import type { Precision } from "../../../shared/contracts/primitives.ts";
import type { Result } from "../../../shared/contracts/result.ts";
import type { KnownToTarget, UserGeneration, UserSettings } from "../../../shared/services/user-api.ts";
import type { StoredReceipt } from "../store/receipt-store.ts";
import type { EventRow } from "../store/session-store.ts";

// What the object of a merged user sends to the object of the user that stays. Both run the same code, so the messages
// are not validated.

/** The user whose data is moved, and the generation that ends. */
export type MergeSource = UserGeneration;

/** A receipt of the source, with its outcomes. */
export interface MovedReceipt extends StoredReceipt {
  outcomes: { product: string; type: string }[];
}

/** A page of what the target stages until the merge is committed. */
export interface StagedPage {
  events: EventRow[];
  receipts: MovedReceipt[];
}

/** A user that was merged into the source before, and belongs to the target from now on. */
export interface EarlierMerge extends UserGeneration {
  /** Seconds since the epoch. */
  at: number;
}

/** What the target takes in one transaction, together with all staged pages. */
export interface MergeCommit {
  /** The encoded profile of the source. */
  profile: Uint8Array;
  /** The consent that counts for the source. */
  sourcePrecision: Precision;
  /** The precision of the locations in `profile`: that of the target when the merge was prepared, or a coarser one. */
  precision: Precision;
  /** The largest sequence number of the source. */
  seq: number;
  /** Counts of experiments, by name in the table `meta`. */
  counts: [name: string, value: string][];
  earlier: EarlierMerge[];
}

/** The state of the target when a merge is prepared or continued. */
export interface MergeTarget {
  generation: number;
  precision: Precision;
}

/** What the source needs to copy its rows after the commit. */
export interface MergeCommitted extends MergeTarget {
  /** What is added to a sequence number of the source. */
  seqOffset: number;
  known: KnownToTarget;
}

/** The methods of the target's object that the source calls. */
export interface MergeTargetObject {
  prepareMerge(source: MergeSource, requested: number): Promise<Result<MergeTarget>>;
  mergeTarget(): Promise<MergeTarget>;
  stageMerge(source: MergeSource, page: StagedPage): Promise<boolean>;
  commitMerge(
    application: string,
    userId: string,
    source: MergeSource,
    commit: MergeCommit,
  ): Promise<MergeCommitted | null>;
  cancelMerge(source: MergeSource): Promise<boolean>;
  setUserSettings(application: string, userId: string, settings: UserSettings): Promise<Result<unknown>>;
  finishMerge(source: MergeSource): Promise<void>;
}
