import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../model/train/random.ts";
import { eventReceipt, eventTypes } from "../../shared/contracts/event.ts";
import { recommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { oslo } from "../support/products.ts";
import type { DeliveryLedger, SentEvent } from "./delivery-ledger.ts";

const requestTimeoutMs = 15_000;
/** Time before a client repeats a failed request. */
const retryDelayMs = 250;
/** Largest pause of a client between two requests. */
const maxPauseMs = 250;
/** Share of the requests that ask for recommendations. */
const recommendationShare = 0.1;
/** Share of the requests that update a location. All other requests send events. */
const locationShare = 0.05;
/** Probability that an event refers to the last recommendation. */
const attributionProbability = 0.5;
/** Largest number of earlier events that a request repeats. */
const maxRepeatedEvents = 4;
/** Largest number of new events in a request. */
const maxNewEvents = 12;
/** Probability that a request repeats one of its own events, and that it repeats earlier events. */
const repeatProbability = 0.35;
/**
 * Age of the events of a product, in seconds: those of each fifth product are late by some days, the others happen now. A user
 * counts for a product in a few hours only, so the hours of one product must not vary.
 */
const ageSecondsOf = (productNumber: number): number =>
  productNumber % 5 === 0 ? (1 + (productNumber % 3)) * 22 * 3600 : 0;

/** Options of a {@link RetryingClient}. */
export interface RetryingClientOptions {
  url: string;
  key: string;
  ledger: DeliveryLedger;
  random: Random;
  productIds: readonly string[];
}

/**
 * A correct client of the API: it sends events, location updates and recommendation requests of some users. It repeats a
 * failed events request with the same event ids until it gets a receipt.
 */
export class RetryingClient {
  readonly #options: RetryingClientOptions;
  readonly #users: readonly string[];
  readonly #sent: SentEvent[] = [];
  #lastRecommendation: { recommendationId: string; userId: string; productIds: string[] } | null = null;
  #nextEventNumber = 0;
  #running = true;

  constructor(options: RetryingClientOptions, users: readonly string[]) {
    this.#options = options;
    this.#users = users;
  }

  /** Ends {@link run} after the current request. */
  stop(): void {
    this.#running = false;
  }

  /** Sends requests until {@link stop}. Resolves when all sent events have a receipt. */
  async run(): Promise<void> {
    const { random } = this.#options;
    while (this.#running) {
      const draw = random.next();
      if (draw < recommendationShare) await this.#requestRecommendations();
      else if (draw < recommendationShare + locationShare) await this.#updateLocation();
      else await this.#sendEvents(this.#nextBatch());
      await sleep(random.next() * maxPauseMs);
    }
  }

  #randomUser(): string {
    return this.#users[this.#options.random.below(this.#users.length)];
  }

  #nextEvent(): SentEvent {
    const { random, productIds } = this.#options;
    const recommendation =
      this.#lastRecommendation && random.next() < attributionProbability ? this.#lastRecommendation : null;
    const choices =
      recommendation && recommendation.productIds.length > 0 ? recommendation.productIds : productIds;
    const productId = choices[random.below(choices.length)];
    const ageSeconds = ageSecondsOf(productIds.indexOf(productId));
    const userId = recommendation?.userId ?? this.#randomUser();
    return {
      eventId: `e${this.#nextEventNumber++}`,
      userId,
      type: eventTypes[random.below(eventTypes.length)],
      productId,
      timestamp: new Date(Date.now() - ageSeconds * 1000).toISOString(),
      ...(recommendation ? { recommendationId: recommendation.recommendationId } : {}),
    };
  }

  #nextBatch(): SentEvent[] {
    const { random } = this.#options;
    const batch = Array.from({ length: 1 + random.below(maxNewEvents) }, () => this.#nextEvent());
    const newEvents = [...batch];
    if (random.next() < repeatProbability) batch.push(batch[random.below(batch.length)]);
    if (this.#sent.length > 0 && random.next() < repeatProbability)
      for (let i = random.below(maxRepeatedEvents); i >= 0; i--)
        batch.push(this.#sent[random.below(this.#sent.length)]);
    this.#sent.push(...newEvents);
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
        else
          throw new Error(
            `POST /v1/events answered 202 without a valid receipt: ${JSON.stringify(response.body)}`,
          );
        if (pending.length === 0) return;
      } else {
        if (response && response.status < 500 && response.status !== 429)
          throw new Error(
            `POST /v1/events refused the events with status ${response.status}: ${JSON.stringify(response.body)}`,
          );
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

  /** Sends a request. Returns null if there is no answer, for example because the stack was killed. */
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
