import { impression } from "../../shared/contracts/impression.ts";
import { countClosedImpression } from "./count-closed-impression.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionStore, StoredReceipt } from "./session-store.ts";
import { trainingExampleOf } from "./training-example.ts";

/**
 * Closes the click window of an impression, within the caller's transaction: adds its training example and its
 * experiment counts to the outbox, and deletes the features that the ranker saw.
 */
export function closeClickWindow(
  store: SessionStore,
  state: SessionState,
  { id, receipt, rows, features }: StoredReceipt,
  now: number,
): void {
  const stored = { receipt: JSON.parse(receipt), ...JSON.parse(rows ?? "{}"), features };
  const shown = impression.safeParse(stored);
  // An impression in the format of an earlier version must not keep other click windows open.
  if (!shown.success) console.error({ event: "stored impression invalid", error: shown.error.message });
  const outcomes = store.outcomes(id);
  const example = shown.success ? trainingExampleOf(shown.data, outcomes) : null;
  const counts = shown.success ? countClosedImpression(store, shown.data.receipt, outcomes, now) : null;
  if (counts) state.addRow("interactions", counts.id, now, { kind: "counts", counts: counts.counts }, now);
  if (example) state.addRow("interactions", `example:${id}`, now, { kind: "example", example }, now);
  store.closeReceipt(id);
  state.saveSnapshot(false);
}
