import { behaviorOf } from "../../../model/profile/behavior.ts";
import { impression } from "../../../shared/contracts/impression.ts";
import { userWeight } from "../../../shared/counting/user-weight.ts";
import { participationsOf, variantOf } from "../../../shared/experiments/variant.ts";
import { type Counting, drawOf } from "../ingest/count-for-others.ts";
import type { SessionState } from "../session-state.ts";
import type { StoredReceipt } from "../store/receipt-store.ts";
import type { SessionStore } from "../store/session-store.ts";
import { countClosedImpression } from "./count-closed-impression.ts";
import { trainingExampleOf } from "./training-example.ts";

/** When a click window closes, and by which settings its user counts. */
export interface ClosingContext extends Pick<Counting, "pseudonym" | "settings"> {
  /** Seconds since the epoch. */
  now: number;
}

/**
 * Closes the click window of an impression, within the caller's transaction: adds its training example and its
 * experiment counts to the outbox, and deletes the features that the ranker saw. Later pages of a list count in experiments with
 * the first one, as far as the user acted on them before its window closes. Of users whom nobody vouches for, only
 * the share of their weight decides experiments and trains models: by one draw for each experiment, and one for each
 * impression.
 */
export function closeClickWindow(
  store: SessionStore,
  state: SessionState,
  { id, time, receipt, rows, features }: StoredReceipt,
  { now, pseudonym, settings }: ClosingContext,
): void {
  // Impressions of version 0.2 do not say who vouched for the user.
  const { isVouched = true, ...seen } = JSON.parse(rows ?? "{}");
  const shown = impression.safeParse({ receipt: JSON.parse(receipt), ...seen, features });
  // An impression in the format of an earlier version must not keep other click windows open.
  if (!shown.success) console.error({ event: "stored impression invalid", error: shown.error.message });
  else {
    const weight = isVouched ? 1 : userWeight(behaviorOf(state.profile, null, now), settings);
    const isDrawn = (subject: string): boolean => isVouched || drawOf(pseudonym, subject) < weight;
    const outcomes = store.receipts.outcomes(id);
    const { variant: ofList, continues } = shown.data.receipt;
    // The pages of a list count once, with the first one.
    const participations = continues === undefined ? participationsOf(ofList) : [];
    const inList =
      participations.length === 0 ? outcomes : [...outcomes, ...store.receipts.outcomesOfLaterPages(id)];
    for (const participation of participations) {
      const variant = variantOf(participation);
      if (!isDrawn(`variant:${variant}`)) continue;
      const each = { ...shown.data.receipt, variant };
      const counts = countClosedImpression(store, each, inList, now, settings.hourlyExposures);
      if (counts)
        state.addRow("interactions", counts.id, now, { kind: "counts", counts: counts.counts }, now);
    }
    const { settingsVersion } = state.profile;
    const example = isDrawn(`example:${id}`)
      ? trainingExampleOf(shown.data, outcomes, settingsVersion)
      : null;
    if (example) state.addRow("interactions", `example:${id}`, now, { kind: "example", example }, now);
  }
  store.receipts.close(id);
  state.windowClosed(time);
}
