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
 * What a client knows about an event. `new`: no request with the event has ended. `unknown`: a request ended without an
 * answer, so that the event may be stored. `acknowledged`: a receipt says that the event is stored.
 */
type DeliveryState = "new" | "unknown" | "acknowledged";

/** Records what clients sent and which answers they got. */
export class DeliveryLedger {
  /** Sent events by `userId/eventId`. */
  readonly events = new Map<string, SentEvent>();
  readonly #states = new Map<string, DeliveryState>();
  /** Number of location updates that were sent, and of those that the API acknowledged. */
  readonly locationUpdates = { acknowledged: 0, sent: 0 };
  /** Descriptions of the receipts that contradict earlier ones. */
  readonly contradictions: string[] = [];
  /** Sum of `accepted` of all receipts. */
  accepted = 0;
  /** Sum of `duplicates` of all receipts. */
  duplicates = 0;
  requests = 0;
  unansweredRequests = 0;
  rejected = 0;
  recommendations = 0;

  #key = ({ userId, eventId }: SentEvent): string => `${userId}/${eventId}`;

  /** Records that a client sends a batch. */
  recordSent(batch: readonly SentEvent[]): void {
    this.requests++;
    for (const event of batch) this.events.set(this.#key(event), event);
  }

  /** Records a request that ended without a receipt for these events: they may be stored. */
  recordUnknown(batch: readonly SentEvent[]): void {
    for (const event of batch)
      if (this.#states.get(this.#key(event)) !== "acknowledged")
        this.#states.set(this.#key(event), "unknown");
  }

  /** Records the receipt of a batch and compares it with earlier ones. Returns the events that the receipt rejects. */
  recordReceipt(batch: readonly SentEvent[], receipt: EventReceipt): SentEvent[] {
    const rejectedIndexes = new Set(receipt.rejected.map(({ index }) => index));
    const stored = batch.filter((_, index) => !rejectedIndexes.has(index));
    const keys = new Set(stored.map(this.#key));
    const count = (state: DeliveryState) =>
      [...keys].filter((key) => (this.#states.get(key) ?? "new") === state).length;
    const minAccepted = count("new");
    const maxAccepted = minAccepted + count("unknown");
    if (receipt.accepted + receipt.duplicates !== stored.length)
      this.contradictions.push(
        `the receipt rejects none of ${stored.length} events, but counts ${receipt.accepted} accepted and ${receipt.duplicates} duplicates`,
      );
    if (receipt.accepted < minAccepted || receipt.accepted > maxAccepted)
      this.contradictions.push(
        `the receipt counts ${receipt.accepted} accepted events; it must count ${minAccepted} to ${maxAccepted}`,
      );
    for (const key of keys) this.#states.set(key, "acknowledged");
    this.accepted += receipt.accepted;
    this.duplicates += receipt.duplicates;
    const rejectedEvents = batch.filter((_, index) => rejectedIndexes.has(index));
    this.rejected += rejectedEvents.length;
    this.recordUnknown(rejectedEvents);
    return rejectedEvents;
  }

  /** Returns the number of events that no receipt acknowledges. */
  countUnacknowledged(): number {
    return [...this.events.keys()].filter((key) => this.#states.get(key) !== "acknowledged").length;
  }
}
