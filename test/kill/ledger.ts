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
type Belief = "new" | "unsure" | "told";

/** What clients sent, and what they were told about it. */
export class Ledger {
  readonly events = new Map<string, SentEvent>();
  readonly #beliefs = new Map<string, Belief>();
  /** Places of people: told that they are kept, and sent at all. */
  readonly visits = { told: 0, sent: 0 };
  /** Answers that contradict what was told before. */
  readonly contradictions: string[] = [];
  accepted = 0;
  duplicates = 0;
  requests = 0;
  lostAnswers = 0;
  refused = 0;
  recommendations = 0;

  #key = ({ userId, eventId }: SentEvent): string => `${userId}/${eventId}`;

  /** Notes that a batch leaves. */
  sends(batch: readonly SentEvent[]): void {
    this.requests++;
    for (const event of batch) this.events.set(this.#key(event), event);
  }

  /** No answer came, or one that says nothing of the events: they may have been taken. */
  lost(batch: readonly SentEvent[]): void {
    for (const event of batch)
      if (this.#beliefs.get(this.#key(event)) !== "told") this.#beliefs.set(this.#key(event), "unsure");
  }

  /** A `202`: what it says is compared with what is known. Answers the events that it did not take. */
  told(batch: readonly SentEvent[], receipt: EventReceipt): SentEvent[] {
    const refused = new Set(receipt.rejected.map(({ index }) => index));
    const taken = batch.filter((_, index) => !refused.has(index));
    const keys = new Set(taken.map(this.#key));
    const count = (belief: Belief) =>
      [...keys].filter((key) => (this.#beliefs.get(key) ?? "new") === belief).length;
    const least = count("new");
    const most = least + count("unsure");
    if (receipt.accepted + receipt.duplicates !== taken.length)
      this.contradictions.push(
        `${taken.length} events were taken, but ${receipt.accepted} + ${receipt.duplicates} were told`,
      );
    if (receipt.accepted < least || receipt.accepted > most)
      this.contradictions.push(`${receipt.accepted} accepted, which must be ${least} to ${most}`);
    for (const key of keys) this.#beliefs.set(key, "told");
    this.accepted += receipt.accepted;
    this.duplicates += receipt.duplicates;
    const rest = batch.filter((_, index) => refused.has(index));
    this.refused += rest.length;
    this.lost(rest);
    return rest;
  }

  /** Events of which no client was told that they are kept. */
  untold(): number {
    return [...this.events.keys()].filter((key) => this.#beliefs.get(key) !== "told").length;
  }
}
