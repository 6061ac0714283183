import type { ReadonlyProfile } from "../../../model/profile/profile.ts";
import type { Interaction } from "../../../shared/contracts/event.ts";
import type { ReceiptRecord } from "../../../shared/contracts/receipt.ts";
import { isRollout, participationsOf, variantOf } from "../../../shared/experiments/variant.ts";
import type { SessionState } from "../session-state.ts";
import type { SessionStore } from "../store/session-store.ts";
import {
  countsName,
  countsRowId,
  countsVariantOf,
  type StoredCounts,
  statedCounts,
  storedCountsOf,
} from "./count-closed-impression.ts";
import { noMeasures, withPurchase, withRefund } from "./experiment-measures.ts";

/**
 * Notes the first exposure of the user to each experiment of an impression, within the caller's transaction: purchases
 * count from then on. `now` is in seconds since the epoch.
 */
export function noteExposure(
  store: Pick<SessionStore, "getMeta" | "setMeta">,
  { variant, time }: Pick<ReceiptRecord, "variant" | "time">,
  now: number,
): void {
  for (const each of participationsOf(variant)) {
    const name = countsName(variantOf(each));
    if (isRollout(each.experiment) || store.getMeta(name) !== null) continue;
    const counts: StoredCounts = { ...storedCountsOf(null), measures: noMeasures(Date.parse(time) / 1000) };
    store.setMeta(name, JSON.stringify({ ...counts, at: now }));
  }
}

/**
 * Adds a purchase to the user's counts in all experiments that they were exposed to before, within the caller's
 * transaction, and sends those of which an exposure has counted. A refund of a purchase that counted lowers them.
 * `isVouched`: whether somebody vouches for what the event states. `now` is in seconds since the epoch.
 */
export function countWorth(
  store: Pick<SessionStore, "setMeta" | "experimentCounts">,
  state: Pick<SessionState, "addRow"> & { profile: Pick<ReadonlyProfile, "purchased"> },
  event: Parameters<typeof withPurchase>[1] & Pick<Interaction, "type" | "productId">,
  isVouched: boolean,
  now: number,
): void {
  if (event.type !== "purchase" && event.type !== "refund") return;
  const purchasedAt = state.profile.purchased.get(event.productId)?.last ?? null;
  for (const [name, text] of store.experimentCounts()) {
    const stored = storedCountsOf(text);
    if (!stored.measures) continue;
    const measures =
      event.type === "purchase"
        ? withPurchase(stored.measures, event, isVouched)
        : withRefund(stored.measures, event, purchasedAt, isVouched);
    if (!measures) continue;
    const counts = { ...stored, measures };
    store.setMeta(name, JSON.stringify({ ...counts, at: now }));
    sendCounts(state, name, counts, now);
  }
}

/** Adds a row with the counts of an arm to the outbox, unless no exposure has counted. */
export function sendCounts(
  state: Pick<SessionState, "addRow">,
  name: string,
  counts: StoredCounts,
  now: number,
): void {
  const [participation] = participationsOf(countsVariantOf(name));
  if (!participation || counts.exposures === 0) return;
  const row = { kind: "counts", counts: { ...participation, ...statedCounts(counts) } };
  state.addRow("interactions", countsRowId(name, counts), now, row, now);
}
