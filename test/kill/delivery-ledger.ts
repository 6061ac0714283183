import type { EventReceipt, EventType } from "../../shared/contracts/event.ts";

/** An event as a client sends it. */
export interface SentEvent {
  eventId: string;
  userId: string;
  type: EventType;
  productId: string;
  timestamp: string;
  recommendationId?: string;
}

/**
 * What a client may believe of an event: nothing yet; that it may have been taken, since the answer was lost; that it
 * is kept, since it was told so.
 */
type DeliveryState = "new" | "unsure" | "told";

/** What clients sent, and what they were told about it. */
export class DeliveryLedger {
  readonly events = new Map<string, SentEvent>();
  readonly #states = new Map<string, DeliveryState>();
  /** Places of people: told that they are kept, and sent at all. */
  readonly locationUpdates = { acknowledged: 0, sent: 0 };
  /** Answers that contradict what was told before. */
  readonly contradictions: string[] = [];
  accepted = 0;
  duplicates = 0;
  requests = 0;
  unansweredRequests = 0;
  rejected = 0;
  recommendations = 0;

  #key = ({ userId, eventId }: SentEvent): string => `${userId}/${eventId}`;

  /** Notes that a batch leaves. */
  recordSent(batch: readonly SentEvent[]): void {
    this.requests++;
    for (const event of batch) this.events.set(this.#key(event), event);
  }

  /** No answer came, or one that says nothing of the events: they may have been taken. */
  recordUnknown(batch: readonly SentEvent[]): void {
    for (const event of batch)
      if (this.#states.get(this.#key(event)) !== "told") this.#states.set(this.#key(event), "unsure");
  }

  /** A `202`: what it says is compared with what is known. Answers the events that it did not take. */
  recordReceipt(batch: readonly SentEvent[], receipt: EventReceipt): SentEvent[] {
    const rejected = new Set(receipt.rejected.map(({ index }) => index));
    const stored = batch.filter((_, index) => !rejected.has(index));
    const keys = new Set(stored.map(this.#key));
    const count = (state: DeliveryState) =>
      [...keys].filter((key) => (this.#states.get(key) ?? "new") === state).length;
    const minAccepted = count("new");
    const maxAccepted = minAccepted + count("unsure");
    if (receipt.accepted + receipt.duplicates !== stored.length)
      this.contradictions.push(
        `${stored.length} events were taken, but ${receipt.accepted} + ${receipt.duplicates} were told`,
      );
    if (receipt.accepted < minAccepted || receipt.accepted > maxAccepted)
      this.contradictions.push(
        `${receipt.accepted} accepted, which must be ${minAccepted} to ${maxAccepted}`,
      );
    for (const key of keys) this.#states.set(key, "told");
    this.accepted += receipt.accepted;
    this.duplicates += receipt.duplicates;
    const rejectedEvents = batch.filter((_, index) => rejected.has(index));
    this.rejected += rejectedEvents.length;
    this.recordUnknown(rejectedEvents);
    return rejectedEvents;
  }

  /** Events of which no client was told that they are kept. */
  countUnacknowledged(): number {
    return [...this.events.keys()].filter((key) => this.#states.get(key) !== "told").length;
  }
}
