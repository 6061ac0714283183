import { isFirst, previousChoices } from "../../model/profile/apply.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import type { AcceptedInteraction, Interaction } from "../../shared/contracts/event.ts";
import { resendSeconds } from "./outbox.ts";
import { applyEvent, type SessionMemory } from "./session-memory.ts";
import type { SessionStore } from "./store.ts";

/** Seconds within which a purchase corrects an example that has left. */
const purchaseWindowSeconds = 7 * 86_400;

/** What became of an event. */
export interface IngestResult {
  acceptance: "accepted" | "duplicate";
  /**
   * What the caller, who knows the event, needs for its row; null where it is not the caller's to bring on: a repeated
   * event is on its way already.
   */
  row: (Pick<AcceptedInteraction, "first" | "previous"> & { seq: number }) | null;
}

/** How events are taken. */
export interface Terms {
  /** Seconds since the epoch. */
  now: number;
  /** Whether the caller brings the rows to the records itself: see `UserSession.record`. */
  deliver: boolean;
  clickWindowSeconds: number;
}

/** Takes an event, within the caller's transaction: its row, what it teaches of the person, what it says of an impression. */
export function ingestEvent(
  store: SessionStore,
  memory: SessionMemory,
  event: Interaction,
  terms: Terms,
): IngestResult {
  const { now, deliver } = terms;
  const { profile } = memory;
  const known = { first: isFirst(profile, event.productId), previous: previousOf(profile, event) };
  const body = deliver ? null : { kind: "interaction", interaction: { ...event, ...known } };
  const due = deliver ? null : now + resendSeconds;
  const seq = memory.add("interactions", event.eventId, now, body, due, known.first);
  if (seq === null) {
    const row = recalled(store, profile, event);
    // An import that died on the way has promised nothing; this call does.
    const { first, previous } = row ?? known;
    const adopted =
      !deliver &&
      memory.reopen(
        "interactions",
        event.eventId,
        { kind: "interaction", interaction: { ...event, first, previous } },
        now + resendSeconds,
      );
    return { acceptance: "duplicate", row: deliver || adopted ? row : null };
  }
  applyEvent(profile, event);
  memory.changed();
  if (event.recommendationId !== null) noteOutcome(store, memory, event, event.recommendationId, terms);
  return { acceptance: "accepted", row: { seq, ...known } };
}

/** The row of an event that was taken before; what came before it, as far as the person remembers. */
function recalled(store: SessionStore, profile: UserProfile, event: Interaction): IngestResult["row"] {
  const known = store.known(event.eventId);
  return known && { ...known, previous: previousOf(profile, event) };
}

/** Joins an event to the impression that it came from: into its example, or as a correction where that has left. */
function noteOutcome(
  store: SessionStore,
  memory: SessionMemory,
  { eventId, productId, type, time }: Interaction,
  recommendationId: string,
  { now, clickWindowSeconds }: Terms,
): void {
  const receipt = store.receipt(recommendationId);
  if (!receipt) return;
  if (receipt.rows !== null) {
    store.addOutcome(recommendationId, productId, type);
    return;
  }
  // What came late counts too: how long after an impression an event may have happened that corrects its example.
  const window = type === "purchase" ? purchaseWindowSeconds : clickWindowSeconds;
  if (time - receipt.time > window) return;
  const correction = { recommendationId, productId, outcome: type, time };
  memory.add("interactions", `correction:${eventId}`, now, { kind: "correction", correction }, now);
}

const previousOf = (profile: UserProfile, event: Interaction): AcceptedInteraction["previous"] =>
  previousChoices(profile, event.time)
    .filter(({ productId, time }) => productId !== event.productId || time !== event.time)
    .map(({ productId, cell }) => ({ productId, cell }));
