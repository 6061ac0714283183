import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../model/train/random.ts";
import { eventReceipt, eventTypes } from "../../shared/contracts/event.ts";
import { recommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { oslo } from "../products.ts";
import type { DeliveryLedger, SentEvent } from "./delivery-ledger.ts";

/** How long a request may take, and how long a client waits before it tries again. Milliseconds. */
const requestTimeoutMs = 15_000;
const retryDelayMs = 250;
/** A client's pause between two requests, at most. Milliseconds. */
const maxPauseMs = 250;
/** New events of one request, at most; and how often earlier ones come along again. */
const maxNewEvents = 12;
const repeatProbability = 0.35;
/** Events are so many seconds late, at most: several days of the training log. */
const maxEventAgeSeconds = 3 * 86_400;

/** What a client needs. */
export interface RetryingClientOptions {
  url: string;
  key: string;
  ledger: DeliveryLedger;
  random: Random;
  productIds: readonly string[];
}

/**
 * A client as one should be: it sends what its people do, also again; a request that died goes out again with the same
 * identifiers until it is answered.
 */
export class RetryingClient {
  readonly #options: RetryingClientOptions;
  readonly #users: readonly string[];
  readonly #sent: SentEvent[] = [];
  #lastRecommendation: { recommendationId: string; userId: string; productIds: string[] } | null = null;
  #nextEventNumber = 0;
  #running = true;

  constructor(around: RetryingClientOptions, users: readonly string[]) {
    this.#options = around;
    this.#users = users;
  }

  /** No further request after the one under way. */
  stop(): void {
    this.#running = false;
  }

  /** Sends until {@link stop}; what was sent by then is answered when this resolves. */
  async run(): Promise<void> {
    const { random } = this.#options;
    while (this.#running) {
      const dice = random.next();
      if (dice < 0.1) await this.#requestRecommendations();
      else if (dice < 0.15) await this.#updateLocation();
      else await this.#sendEvents(this.#nextBatch());
      await sleep(random.next() * maxPauseMs);
    }
  }

  #randomUser(): string {
    return this.#users[this.#options.random.below(this.#users.length)];
  }

  #nextEvent(): SentEvent {
    const { random, productIds } = this.#options;
    const shown = this.#lastRecommendation && random.next() < 0.5 ? this.#lastRecommendation : null;
    const offered = shown && shown.productIds.length > 0 ? shown.productIds : productIds;
    const late = random.next() < 0.2 ? random.next() * maxEventAgeSeconds : 0;
    const userId = shown?.userId ?? this.#randomUser();
    return {
      eventId: `e${this.#nextEventNumber++}`,
      userId,
      type: eventTypes[random.below(eventTypes.length)],
      productId: offered[random.below(offered.length)],
      timestamp: new Date(Date.now() - late * 1000).toISOString(),
      ...(shown ? { recommendationId: shown.recommendationId } : {}),
    };
  }

  #nextBatch(): SentEvent[] {
    const { random } = this.#options;
    const batch = Array.from({ length: 1 + random.below(maxNewEvents) }, () => this.#nextEvent());
    const fresh = [...batch];
    if (random.next() < repeatProbability) batch.push(batch[random.below(batch.length)]);
    if (this.#sent.length > 0 && random.next() < repeatProbability)
      for (let i = random.below(4); i >= 0; i--) batch.push(this.#sent[random.below(this.#sent.length)]);
    this.#sent.push(...fresh);
    return random.shuffle(batch);
  }

  async #sendEvents(batch: SentEvent[]): Promise<void> {
    const { ledger } = this.#options;
    for (let pending = batch; pending.length > 0; ) {
      ledger.recordSent(pending);
      const response = await this.#call("POST", "/v1/events", { events: pending });
      if (response?.status === 202) {
        const receipt = eventReceipt.safeParse(response.body);
        if (receipt.success) pending = ledger.recordReceipt(pending, receipt.data);
        else throw new Error(`no receipt: ${JSON.stringify(response.body)}`);
        if (pending.length === 0) return;
      } else {
        if (response && response.status < 500 && response.status !== 429)
          throw new Error(`events were refused: ${JSON.stringify(response.body)}`);
        if (!response) ledger.unansweredRequests++;
        ledger.recordUnknown(pending);
      }
      await sleep(retryDelayMs);
    }
  }

  async #requestRecommendations(): Promise<void> {
    const userId = this.#randomUser();
    const response = await this.#call("POST", "/v1/recommendations", { userId, location: oslo, limit: 5 });
    const parsed = response?.status === 200 ? recommendationAnswer.safeParse(response.body) : null;
    if (!parsed?.success) return;
    this.#options.ledger.recommendations++;
    const { recommendationId, items } = parsed.data;
    this.#lastRecommendation = {
      recommendationId,
      userId,
      productIds: items.map(({ productId }) => productId),
    };
  }

  async #updateLocation(): Promise<void> {
    const { ledger, random } = this.#options;
    ledger.locationUpdates.sent++;
    const location = { lat: oslo.lat + random.next() / 100, lon: oslo.lon };
    const response = await this.#call("PUT", `/v1/users/${this.#randomUser()}/location`, location);
    if (response?.status === 200) ledger.locationUpdates.acknowledged++;
  }

  /** The answer; null where none came. */
  async #call(method: string, path: string, body: object): Promise<{ status: number; body: unknown } | null> {
    const { url, key } = this.#options;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      return { status: response.status, body: await response.json() };
    } catch {
      return null;
    }
  }
}
