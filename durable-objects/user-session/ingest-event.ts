import { choicesBefore, hasNotChosen } from "../../model/profile/apply-interaction.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import type { AcceptedInteraction, Interaction, ReceivedInteraction } from "../../shared/contracts/event.ts";
import { differingFields } from "../../shared/contracts/event-content.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { resendSeconds } from "./outbox.ts";
import { decodeContent, encodeContent, sentContentOf } from "./sent-content.ts";
import { applyEventToProfile, type SessionState } from "./session-state.ts";
import type { SessionStore } from "./session-store.ts";

/** How long after an impression a purchase still corrects the training example, in seconds. */
const purchaseCorrectionSeconds = 7 * daySeconds;

/** The result of ingesting one event. */
export interface IngestResult {
  acceptance: "accepted" | "duplicate" | "conflict";
  /** The fields in which the event differs from the stored event of its id; empty without a conflict. */
  conflicts: string[];
  /**
   * The fields that the caller adds to its event to build the outbox row; null if the caller must not deliver the row,
   * because the outbox contains it already.
   */
  row: (Pick<AcceptedInteraction, "first" | "firstPurchase" | "previous"> & { seq: number }) | null;
  /** Whether the event was accepted and its location is not believed. */
  isLocationDoubted?: true;
}

/** The parameters that all events of one call share. */
export interface IngestContext {
  /** Seconds since the epoch. */
  now: number;
  /** Whether the caller delivers the rows itself instead of the outbox: see `UserSession.ingest`. */
  callerDelivers: boolean;
  clickWindowSeconds: number;
}

/**
 * Returns the id of an event's row in the journal. Ids of other rows have another kind before the colon, so that no
 * event id can be the id of another row.
 */
const eventRowId = (eventId: string): string => `event:${eventId}`;

/**
 * Ingests an event within the caller's transaction: adds its row to the journal, updates the profile and records the
 * outcome of the impression that led to the event. An event whose id is known changes nothing: it is a duplicate if the
 * client says the same, else a conflict.
 */
export function ingestEvent(
  store: SessionStore,
  state: SessionState,
  received: ReceivedInteraction,
  context: IngestContext,
): IngestResult {
  const { sentTime: _, precision: __, stored, ...event } = received;
  const { now, callerDelivers } = context;
  const { profile } = state;
  const derived = {
    first: event.type !== "dismiss" && hasNotChosen(profile, event.productId),
    firstPurchase: event.type === "purchase" && !profile.purchased.has(event.productId),
    previous: previousOf(profile, event),
  };
  const body = callerDelivers ? null : { kind: "interaction", interaction: { ...event, ...derived } };
  const due = callerDelivers ? null : now + resendSeconds;
  const rowId = eventRowId(event.eventId);
  const known = store.findRow(rowId);
  if (known === null && stored) return { acceptance: "duplicate", conflicts: [], row: null };
  const content = sentContentOf(received);
  if (known !== null) {
    const conflicts = known.content === null ? [] : differingFields(decodeContent(known.content), content);
    if (conflicts.length > 0) return { acceptance: "conflict", conflicts, row: null };
    const { content: _, ...firsts } = known;
    const row = { ...firsts, previous: previousOf(profile, event) };
    // An import that failed midway left a row without a body. Unlike the import, this call promises delivery.
    const { first, firstPurchase, previous } = row;
    const reopened =
      !callerDelivers &&
      state.reopenRow(
        "interactions",
        rowId,
        { kind: "interaction", interaction: { ...event, first, firstPurchase, previous } },
        now + resendSeconds,
      );
    return { acceptance: "duplicate", conflicts: [], row: callerDelivers || reopened ? row : null };
  }
  const seq = state.addRow("interactions", rowId, now, body, due, derived, encodeContent(content));
  if (seq === null) throw new Error(`The journal has no row ${rowId}, but adds none.`);
  const isLocationBelieved = applyEventToProfile(profile, event);
  state.profileChanged();
  if (event.recommendationId !== null) recordOutcome(store, state, event, event.recommendationId, context);
  return {
    acceptance: "accepted",
    conflicts: [],
    row: { seq, ...derived },
    ...(isLocationBelieved ? {} : { isLocationDoubted: true }),
  };
}

/**
 * Records an event as an outcome of its impression, or as a correction if the impression's training example was sent
 * already.
 */
function recordOutcome(
  store: SessionStore,
  state: SessionState,
  { eventId, productId, type, time }: Interaction,
  recommendationId: string,
  { now, clickWindowSeconds }: IngestContext,
): void {
  const receipt = store.receipt(recommendationId);
  if (!receipt) return;
  if (receipt.rows !== null) {
    store.addOutcome(recommendationId, productId, type);
    return;
  }
  // An event may arrive late, so the time at which it happened decides whether it corrects the example.
  const window = type === "purchase" ? purchaseCorrectionSeconds : clickWindowSeconds;
  if (time - receipt.time > window) return;
  const correction = { recommendationId, productId, outcome: type, time };
  state.addRow("interactions", `correction:${eventId}`, now, { kind: "correction", correction }, now);
}

const previousOf = (profile: UserProfile, event: Interaction): AcceptedInteraction["previous"] =>
  choicesBefore(profile, event.time)
    .filter(({ productId, time }) => productId !== event.productId || time !== event.time)
    .map(({ productId, cell }) => ({ productId, cell }));
