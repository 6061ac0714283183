import { holdsProducts, parentCell } from "../../shared/geo/cells.ts";
import {
  leafPolicy,
  type PublishPolicy,
  type PublishState,
  parentPolicy,
  publishAt,
  publishableFrom,
  splitPolicy,
} from "./publish-policy.ts";
import type { MigrationProgress } from "./shard-migration.ts";

/** The state of a cell, besides its products and their activity. */
export interface CellState extends PublishState {
  application: string;
  cell: string;
  /** Version of the last tile of a leaf; of a parent, the version of its children's summaries. */
  version: number;
  /** When KV got the last copy of a parent's tile, in milliseconds since the epoch; 0 for never. */
  copiedAt: number;
  /** When KV is to get a copy of a parent's tile, which changed since the last one; 0 if it did not. */
  copyAt: number;
  /** Whether KV may hold a tile under the key of releases up to 0.2. */
  hasEarlierKey: boolean;
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
  copiedAt: 0,
  copyAt: 0,
  hasEarlierKey: false,
  contentChanged: false,
  renew: false,
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

/** Delay before a copy, so that it has all cells of a region that is new, in milliseconds. */
const copyGatherMs = 60_000;
/** Minimum interval between copies of a parent's tile in KV, in milliseconds. */
const copyIntervalMs = 600_000;
/** Age of the copy from which on changed counts alone make another one, in milliseconds. */
const maxCopyAgeMs = 7 * 86_400_000;

/** Notes that a summary of a parent changed, so that KV gets a copy of its tile. A split cell's parent lists its leaves. */
export function markForCopy(state: CellState, contentChanged: boolean, now: number): void {
  if (holdsProducts(state.cell)) return;
  if (state.copyAt > 0 || !(contentChanged || now - state.copiedAt > maxCopyAgeMs)) return;
  state.copyAt = Math.max(now + copyGatherMs, state.copiedAt + copyIntervalMs);
}

/** Returns whether KV is to get a copy of the tile now, in milliseconds since the epoch. */
export const isCopyDue = ({ copyAt }: CellState, now: number): boolean => copyAt > 0 && now >= copyAt;

/** Returns when the alarm must run, in milliseconds: at once during a split; null for never. */
export function alarmAt(state: CellState, now: number): number | null {
  if (state.phase === "splitting" || state.phase === "migrated") return now;
  if (state.phase === "receiving") return null;
  const copyAt = state.copyAt > 0 ? state.copyAt : null;
  const times = [nextPublicationAt(state, now), copyAt].filter((each) => each !== null);
  return times.length > 0 ? Math.min(...times) : null;
}

function policyOf(state: CellState): PublishPolicy {
  if (showsOwnProducts(state)) return leafPolicy;
  return holdsProducts(state.cell) ? splitPolicy : parentPolicy;
}

/** Returns when to publish the tile, in milliseconds since the epoch; null if there is nothing, or nobody, to tell. */
const nextPublicationAt = (state: CellState, now: number): number | null =>
  parentCell(state.cell) === null ? null : publishAt(state, now, policyOf(state));

/** Returns whether the tile may be published now, in milliseconds since the epoch, and has something new to show. */
export function isPublishable(state: CellState, now: number): boolean {
  if (parentCell(state.cell) === null) return false;
  const from = publishableFrom(state, policyOf(state));
  return from !== null && from <= now;
}

/** Returns whether the cell has changes that its last tile does not show. */
export const hasUnpublished = ({ contentChanged, pendingInteractions }: CellState): boolean =>
  contentChanged || pendingInteractions > 0;
