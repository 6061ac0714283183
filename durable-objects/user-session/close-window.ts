import { impression } from "../../shared/contracts/impression.ts";
import { countsAfter } from "./experiment-counts.ts";
import type { SessionMemory } from "./session-memory.ts";
import type { SessionStore, StoredReceipt } from "./store.ts";
import { exampleOf } from "./training-examples.ts";

/**
 * Closes the click window of an impression, within the caller's transaction: what came of it leaves as an example and as counts of
 * its experiment, and what the ranker saw is kept no longer.
 */
export function closeWindow(
  store: SessionStore,
  memory: SessionMemory,
  { id, receipt, rows, features }: StoredReceipt,
  now: number,
): void {
  const kept = { receipt: JSON.parse(receipt), ...JSON.parse(rows ?? "{}"), features };
  const shown = impression.safeParse(kept);
  // An impression that an older version kept in another form must not keep the rest from leaving.
  if (!shown.success) console.error({ event: "impression not understood", error: shown.error.message });
  const outcomes = store.outcomes(id);
  const example = shown.success ? exampleOf(shown.data, outcomes) : null;
  const counts = shown.success ? countsAfter(store, shown.data.receipt, outcomes, now) : null;
  if (counts) memory.add("interactions", counts.id, now, { kind: "counts", counts: counts.counts }, now);
  if (example) memory.add("interactions", `example:${id}`, now, { kind: "example", example }, now);
  store.closeReceipt(id);
  memory.snapshot(false);
}
