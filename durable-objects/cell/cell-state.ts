import { holdsProducts } from "../../shared/geo/cells.ts";
import { leafPolicy, type PublishState, parentPolicy, publishAt, publishableFrom } from "./publish-policy.ts";
import type { MigrationProgress } from "./shard-migration.ts";

/** The state of a cell, besides its products and their activity. */
export interface CellState extends PublishState {
  application: string;
  cell: string;
  /** Version of the last tile. */
  version: number;
  /** Whether a publication has begun, and has not yet ended with its summary at the parent cell. */
  publishing: boolean;
  phase: CellPhase;
  /** How far the migration to the children has come; null unless the phase is `splitting`. */
  progress: MigrationProgress | null;
  /** Sequence number of the last migration part that this cell sent, or received from its parent. */
  migrationSeq: number;
  /** Sequence number of the last activity call that `pendingInteractions` includes. */
  countedUpToSeq: number;
}

/**
 * The phase of a cell. A leaf with too many products splits, which turns it into the parent of cells with products:
 *
 * - `leaf`: holds products and publishes them; the initial phase.
 * - `receiving`: created by a parent that splits, receives the parent's products and publishes nothing yet.
 * - `splitting`: accepts changes, publishes its products and migrates them to its children.
 * - `migrated`: the children hold all products and accept the changes; this cell still publishes its last products.
 * - `split`: publishes the summaries of its children.
 */
export type CellPhase = "leaf" | "receiving" | "splitting" | "migrated" | "split";

/** The state of a cell that nothing was written to. */
export const initialState = {
  version: 0,
  publishing: false,
  contentChanged: false,
  pendingInteractions: 0,
  publishedInteractions: 0,
  publishedAt: 0,
  phase: "leaf",
  progress: null,
  migrationSeq: 0,
  countedUpToSeq: 0,
} as const;

/** Returns whether the cell's tile is built from its own products instead of its children's summaries. */
export const showsOwnProducts = ({ cell, phase }: CellState): boolean =>
  holdsProducts(cell) && phase !== "split";

/** Returns whether the cell's products are migrated: its children accept changes, the cell itself does not. */
export const hasMigrated = (state: CellState | null): boolean =>
  state?.phase === "migrated" || state?.phase === "split";

/**
 * Returns whether activity may be stored as pending deltas. A migration reads compacted tables, so a cell that splits
 * compacts at once.
 */
export const canDeferCompaction = (state: CellState): boolean => state.phase === "leaf";

/** Returns the state as JSON, to compare states, without the fields that follow from the table of pending deltas. */
export const withoutPendingCounts = (state: CellState): string =>
  JSON.stringify({ ...state, pendingInteractions: 0, countedUpToSeq: 0 });

/** Returns when the alarm must run, in milliseconds: at once during a split; null for never. */
export function alarmAt(state: CellState, now: number): number | null {
  if (state.phase === "splitting" || state.phase === "migrated") return now;
  return state.phase === "receiving" ? null : nextPublicationAt(state, now);
}

const policyOf = (state: CellState) => (showsOwnProducts(state) ? leafPolicy : parentPolicy);

/** Returns when to publish the tile, in milliseconds since the epoch; null if there is nothing to publish. */
const nextPublicationAt = (state: CellState, now: number): number | null =>
  publishAt(state, now, policyOf(state));

/** Returns whether the tile may be published now, in milliseconds since the epoch, and has something new to show. */
export function isPublishable(state: CellState, now: number): boolean {
  const from = publishableFrom(state, policyOf(state));
  return from !== null && from <= now;
}
