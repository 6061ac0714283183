import { arrivedThisHour, withArrival } from "../../../model/profile/activity.ts";
import type {
  AcceptedInteraction,
  Interaction,
  ReceivedInteraction,
} from "../../../shared/contracts/event.ts";
import { differingFields } from "../../../shared/contracts/event-content.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { countWorth } from "../impressions/count-in-experiments.ts";
import { resendSeconds } from "../outbox.ts";
import { applyEventToProfile, type SessionState } from "../session-state.ts";
import type { CountedEvent } from "../store/counted-event.ts";
import type { SessionStore } from "../store/session-store.ts";
import { type Counting, countedEvent, networkKeyOf, previousOf } from "./count-for-others.ts";
import { decodeContent, encodeContent, sentContentOf } from "./sent-content.ts";

/** How long after an impression a purchase still corrects the training example, in seconds. */
const purchaseCorrectionSeconds = 7 * daySeconds;

/** The fields of an interaction that the user's object adds. */
type AddedFields = Pick<
  AcceptedInteraction,
  "consent" | "counts" | "networkKey" | "first" | "firstPurchase" | "previous"
>;

/** The result of ingesting one event. */
export interface IngestResult {
  /** `limited`: the user sent too many events in this hour. */
  acceptance: "accepted" | "duplicate" | "conflict" | "limited";
  /** The fields in which the event differs from the stored event of its id; empty without a conflict. */
  conflicts: string[];
  /**
   * The fields that the caller adds to its event to build the outbox row; null if the caller must not deliver the row,
   * because the outbox contains it already.
   */
  row: (AddedFields & { seq: number }) | null;
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
  counting: Counting;
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
  const { now, callerDelivers, counting } = context;
  const { profile } = state;
  const rowId = eventRowId(event.eventId);
  const known = store.findRow(rowId);
  if (known === null && stored) return { acceptance: "duplicate", conflicts: [], row: null };
  const content = sentContentOf(received);
  const consent = { precision: received.precision, version: profile.settingsVersion };
  const addedBy = (counted: CountedEvent): AddedFields => ({
    ...(event.location === null ? {} : { consent }),
    counts: counted.counts,
    networkKey: networkKeyOf(event, counting, counted.counts),
    first: counted.first,
    firstPurchase: counted.firstPurchase,
    previous: previousOf(profile, event, counted),
  });
  if (known !== null) {
    const conflicts = known.content === null ? [] : differingFields(decodeContent(known.content), content);
    if (conflicts.length > 0) return { acceptance: "conflict", conflicts, row: null };
    // The rows of a merged user were delivered under its name.
    if (known.isDeliveredElsewhere) return { acceptance: "duplicate", conflicts: [], row: null };
    const added = addedBy(known);
    // An import that failed midway left a row without a body. Unlike the import, this call promises delivery.
    const body = { kind: "interaction", interaction: { ...event, ...added } };
    const reopened = !callerDelivers && state.reopenRow("interactions", rowId, body, now);
    const row = callerDelivers || reopened ? { seq: known.seq, ...added } : null;
    return { acceptance: "duplicate", conflicts: [], row };
  }
  const arrived = arrivedThisHour(profile.activity, now).events;
  if (counting.requester.tokenIssuedAt !== null && arrived >= maxEventsOf(counting))
    return { acceptance: "limited", conflicts: [], row: null };
  const counted = countedEvent(profile, event, counting, now);
  const added = addedBy(counted);
  const body = callerDelivers ? null : { kind: "interaction", interaction: { ...event, ...added } };
  const due = callerDelivers ? null : now + resendSeconds;
  const seq = state.addRow("interactions", rowId, now, body, due, counted, encodeContent(content));
  if (seq === null) throw new Error(`The journal has no row ${rowId}, but adds none.`);
  const isLocationBelieved = applyEventToProfile(profile, { ...event, counts: counted.counts });
  if (!callerDelivers) profile.activity = withArrival(profile.activity, "events", now);
  state.profileChanged();
  countWorth(store, state, event, counting.requester.isVouched, now);
  if (event.recommendationId !== null) recordOutcome(store, state, event, event.recommendationId, context);
  return {
    acceptance: "accepted",
    conflicts: [],
    row: { seq, ...added },
    ...(isLocationBelieved ? {} : { isLocationDoubted: true }),
  };
}

/** Returns how many events of a user may arrive in an hour by user tokens. */
const maxEventsOf = ({ requester, settings }: Counting): number =>
  requester.isVouched ? settings.hourlyEvents : settings.hourlyEventsUnvouched;

/**
 * Records an event as an outcome of its impression, or as a correction if the impression's training example was sent
 * already. A refund is no outcome.
 */
function recordOutcome(
  store: SessionStore,
  state: SessionState,
  { eventId, productId, type, time }: Interaction,
  recommendationId: string,
  { now, clickWindowSeconds }: IngestContext,
): void {
  if (type === "refund") return;
  const receipt = store.receipts.find(recommendationId);
  if (!receipt) {
    if (now - time <= clickWindowSeconds) store.receipts.addEarlyOutcome(recommendationId, productId, type);
    return;
  }
  if (receipt.isOpen) {
    store.receipts.addOutcome(recommendationId, productId, type);
    return;
  }
  // An event may arrive late, so the time at which it happened decides whether it corrects the example.
  const window = type === "purchase" ? purchaseCorrectionSeconds : clickWindowSeconds;
  if (time - receipt.time > window) return;
  const correction = { recommendationId, productId, outcome: type, time };
  state.addRow("interactions", `correction:${eventId}`, now, { kind: "correction", correction }, now);
}
