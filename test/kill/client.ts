import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../model/train/random.ts";
import { eventReceipt, eventTypes } from "../../shared/contracts/event.ts";
import { recommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { oslo } from "../products.ts";
import type { Ledger, SentEvent } from "./ledger.ts";

/** How long a request may take, and how long a client waits before it tries again. Milliseconds. */
const timeoutMs = 15_000;
const retryMs = 250;
/** A client's pause between two requests, at most. Milliseconds. */
const pauseMs = 250;
/** New events of one request, at most; and how often earlier ones come along again. */
const newAtOnce = 12;
const repeatShare = 0.35;
/** Events are so many seconds late, at most: several days of the training log. */
const lateSeconds = 3 * 86_400;

/** What a client needs. */
export interface ClientSurroundings {
  url: string;
  key: string;
  ledger: Ledger;
  random: Random;
  productIds: readonly string[];
}

/**
 * A client as one should be: it sends what its people do, also again; a request that died goes out again with the same
 * identifiers until it is answered.
 */
export class Client {
  readonly #around: ClientSurroundings;
  readonly #usersByProduct: readonly string[];
  readonly #sent: SentEvent[] = [];
  #shown: { recommendationId: string; userId: string; productIds: string[] } | null = null;
  #next = 0;
  #running = true;

  constructor(around: ClientSurroundings, users: readonly string[]) {
    this.#around = around;
    this.#usersByProduct = users;
  }

  /** No further request after the one under way. */
  end(): void {
    this.#running = false;
  }

  /** Sends until {@link end}; what was sent by then is answered when this resolves. */
  async run(): Promise<void> {
    const { random } = this.#around;
    while (this.#running) {
      const dice = random.next();
      if (dice < 0.1) await this.#ask();
      else if (dice < 0.15) await this.#move();
      else await this.#deliver(this.#batch());
      await sleep(random.next() * pauseMs);
    }
  }

  #userId(): string {
    return this.#usersByProduct[this.#around.random.below(this.#usersByProduct.length)];
  }

  #event(): SentEvent {
    const { random, productIds } = this.#around;
    const shown = this.#shown && random.next() < 0.5 ? this.#shown : null;
    const offered = shown && shown.productIds.length > 0 ? shown.productIds : productIds;
    const late = random.next() < 0.2 ? random.next() * lateSeconds : 0;
    const userId = shown?.userId ?? this.#userId();
    return {
      eventId: `e${this.#next++}`,
      userId,
      type: eventTypes[random.below(eventTypes.length)],
      productId: offered[random.below(offered.length)],
      timestamp: new Date(Date.now() - late * 1000).toISOString(),
      ...(shown ? { recommendationId: shown.recommendationId } : {}),
    };
  }

  #batch(): SentEvent[] {
    const { random } = this.#around;
    const batch = Array.from({ length: 1 + random.below(newAtOnce) }, () => this.#event());
    const fresh = [...batch];
    if (random.next() < repeatShare) batch.push(batch[random.below(batch.length)]);
    if (this.#sent.length > 0 && random.next() < repeatShare)
      for (let i = random.below(4); i >= 0; i--) batch.push(this.#sent[random.below(this.#sent.length)]);
    this.#sent.push(...fresh);
    return random.shuffle(batch);
  }

  async #deliver(batch: SentEvent[]): Promise<void> {
    const { ledger } = this.#around;
    for (let open = batch; open.length > 0; ) {
      ledger.sends(open);
      const answer = await this.#call("POST", "/v1/events", { events: open });
      if (answer?.status === 202) {
        const receipt = eventReceipt.safeParse(answer.body);
        if (receipt.success) open = ledger.told(open, receipt.data);
        else throw new Error(`no receipt: ${JSON.stringify(answer.body)}`);
        if (open.length === 0) return;
      } else {
        if (answer && answer.status < 500 && answer.status !== 429)
          throw new Error(`events were refused: ${JSON.stringify(answer.body)}`);
        if (!answer) ledger.lostAnswers++;
        ledger.lost(open);
      }
      await sleep(retryMs);
    }
  }

  async #ask(): Promise<void> {
    const userId = this.#userId();
    const answer = await this.#call("POST", "/v1/recommendations", { userId, location: oslo, limit: 5 });
    const parsed = answer?.status === 200 ? recommendationAnswer.safeParse(answer.body) : null;
    if (!parsed?.success) return;
    this.#around.ledger.recommendations++;
    const { recommendationId, items } = parsed.data;
    this.#shown = { recommendationId, userId, productIds: items.map(({ productId }) => productId) };
  }

  async #move(): Promise<void> {
    const { ledger, random } = this.#around;
    ledger.visits.sent++;
    const place = { lat: oslo.lat + random.next() / 100, lon: oslo.lon };
    const answer = await this.#call("PUT", `/v1/users/${this.#userId()}/location`, place);
    if (answer?.status === 200) ledger.visits.told++;
  }

  /** The answer; null where none came. */
  async #call(method: string, path: string, body: object): Promise<{ status: number; body: unknown } | null> {
    const { url, key } = this.#around;
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: answer.status, body: await answer.json() };
    } catch {
      return null;
    }
  }
}
