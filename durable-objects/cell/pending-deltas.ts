import { type HourTotals, mergeHours, sumOfCounts } from "../../shared/contracts/totals.ts";
import type { TransitionKey } from "./counted-keys.ts";
import { mergeNextProducts, type StoredNextProduct } from "./stored-next-products.ts";

/** A transition to a next product, with the weight that it adds. */
export interface TransitionDelta extends TransitionKey {
  from: string;
  to: string;
  /** Address of `to`. */
  toCell: string;
  weight: number;
  /** Short hash of the user and both products; absent in deltas of version 0.2. */
  user?: number;
}

/** What one call added to the activity of a cell: one row of the table `pending_deltas`. */
export interface PendingDelta {
  /** The hours that changed, by product. */
  totals: { productId: string; hours: HourTotals[] }[];
  /** All transitions that the call's events made in this cell. */
  transitions: TransitionDelta[];
}

/** The activity of one product. */
export interface ProductActivity {
  hours: readonly HourTotals[];
  nextProducts: StoredNextProduct[];
}

/** A summary of the pending deltas, which is cached in memory. */
export interface PendingSummary {
  /** Sequence number of the last call. */
  seq: number;
  /** Sequence number of the last call that is compacted. */
  compactedSeq: number;
  /** Length of all pending rows, in characters. */
  characters: number;
  /** Sums of all counts by product and hour. */
  counts: Map<string, Map<number, number>>;
  /** Keys of the transitions. */
  keys: Set<number>;
}

/** Returns the keys of the transitions, each once. */
export const transitionKeysOf = (transitions: readonly TransitionDelta[]): TransitionKey[] => [
  ...new Map(transitions.map(({ key, time }) => [key, { key, time }])).values(),
];

/** Returns the summary of no pending deltas, without its sequence numbers. */
export const emptyPending = (): Omit<PendingSummary, "seq" | "compactedSeq"> => ({
  characters: 0,
  counts: new Map(),
  keys: new Set(),
});

/** Adds the pending row of a call to the summary, in place. */
export function addToSummary(summary: PendingSummary, seq: number, body: string): void {
  const { totals, transitions }: PendingDelta = JSON.parse(body);
  summary.seq = seq;
  summary.characters += body.length;
  for (const { productId, hours } of totals) {
    const counts = summary.counts.get(productId) ?? new Map<number, number>();
    summary.counts.set(productId, counts);
    for (const each of hours) counts.set(each.hour, sumOfCounts(each));
  }
  for (const { key } of transitions) summary.keys.add(key);
}

/** Merges deltas into the activity by product, in place. A transition is shown from `minUsers` different users on. */
export function mergeDeltas(
  activityByProduct: Map<string, ProductActivity>,
  deltas: readonly PendingDelta[],
  minUsers: number,
): void {
  const activityOf = (id: string): ProductActivity => {
    const activity = activityByProduct.get(id) ?? { hours: [], nextProducts: [] };
    activityByProduct.set(id, activity);
    return activity;
  };
  const addedNext = new Map<string, StoredNextProduct[]>();
  const addedHours = new Map<string, HourTotals[]>();
  for (const delta of deltas) {
    for (const { productId, hours } of delta.totals)
      addedHours.set(productId, [...(addedHours.get(productId) ?? []), ...hours]);
    for (const { from, to, toCell, weight, user } of delta.transitions) {
      const list = addedNext.get(from) ?? [];
      addedNext.set(from, list);
      list.push({ productId: to, cell: toCell, weight, users: user === undefined ? [] : [user] });
    }
  }
  for (const [id, hours] of addedHours) activityOf(id).hours = mergeHours(activityOf(id).hours, hours);
  for (const [from, added] of addedNext)
    activityOf(from).nextProducts = mergeNextProducts(activityOf(from).nextProducts, added, minUsers);
}
