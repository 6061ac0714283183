/// <reference types="@cloudflare/vitest-plugin/types" />

import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Cell } from "../../durable-objects/cell/cell.ts";
import { cellStub } from "../../durable-objects/cell/cell-stub.ts";
import type { UserSession } from "../../durable-objects/user-session/user-session.ts";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import { decodeColumns } from "../../model/columns/columns.ts";
import { decodeProfile } from "../../model/profile/codec.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import type { EventInput, EventReceipt } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { CardRequest, ProductCard } from "../../shared/contracts/product.ts";
import { trustedRequester } from "../../shared/contracts/requester.ts";
import { ok, unwrap } from "../../shared/contracts/result.ts";
import { addTotals, countFields, emptyTotals, type Totals } from "../../shared/contracts/totals.ts";
import { leafCellAt } from "../../shared/geo/cells.ts";
import { coarsenToCity } from "../../shared/geo/coarsen.ts";
import { logDays } from "../../shared/training-log/keys.ts";
import { countLogLines } from "../../shared/training-log/testing/count-log-lines.ts";
import { LocationService } from "../../workers/location/service.ts";
import { Confirmations } from "../../workers/recommendation/ingest/confirmations.ts";
import { eventTimeOf, isInFuture } from "../../workers/recommendation/ingest/event-time.ts";
import { ingestEvents, ingestHistory } from "../../workers/recommendation/ingest/ingest-events.ts";
import { consumeBatch } from "../../workers/recommendation/ingest/queue.ts";
import { UserService } from "../../workers/user/service.ts";
import { readAllInteractions } from "../../workers/user/testing/read-all-interactions.ts";
import {
  counter,
  type FaultyPart,
  faults,
  type QueuedMessage,
  queuedMessages,
  queues,
} from "./fault-injector.ts";

/** The bindings of the test's worker. */
export interface Bindings {
  DB: D1Database;
  DB_1: D1Database;
  /** The recommendation worker's database. */
  REGISTRY: D1Database;
  CELL: DurableObjectNamespace<Cell>;
  USER_SESSION: DurableObjectNamespace<UserSession>;
  TILES: KVNamespace;
  TRAINING_LOG: R2Bucket;
  DEAD_LETTERS: R2Bucket;
  PSEUDONYM_SECRET: string;
}
export const bindings = env as unknown as Bindings;

/** Longer than any delay after which a row that is not confirmed is sent again, or a step repeated, in milliseconds. */
export const roundMs = 500_000;
const oslo = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(oslo, 0);
export const productIds = ["p0", "p1", "p2", "p3"];
const card = (id: string): ProductCard => ({
  id,
  title: id,
  category: "books",
  price: 4,
  priceAfterDiscount: 4,
  currency: "EUR",
  discount: 0,
  rating: null,
  available: true,
  groupId: null,
  image: null,
  location: oslo,
  cell: leaf,
  version: 1,
});

/** Returns a service each of whose calls may fail and is counted. */
const withFaults = <P extends object>(part: FaultyPart, dependency: P): P =>
  counter.service(part, faults.wrap(part, dependency, Object.keys(dependency) as (keyof P & string)[]));

/** Returns bindings to real services and stores. Each call of a binding may fail before or after its work. */
function recommendationEnv(): RecommendationEnv {
  const context = createExecutionContext();
  const databases = {
    DB: faults.wrap("database", bindings.DB, ["batch"]),
    DB_1: faults.wrap("database", bindings.DB_1, ["batch"]),
    DEFAULT_CONSENT: "exact" as never,
  };
  const user = new UserService(context, databases);
  const location = new LocationService(context, {
    DB: bindings.DB,
    TILES: bindings.TILES,
    CELL: bindings.CELL,
  } as unknown as LocationEnv);
  return {
    USER: withFaults("userService", {
      recordInteractions: (...args: Parameters<typeof user.recordInteractions>) =>
        user.recordInteractions(...args),
      findInteractions: (...args: Parameters<typeof user.findInteractions>) => user.findInteractions(...args),
      hourlyTotals: (...args: Parameters<typeof user.hourlyTotals>) => user.hourlyTotals(...args),
      recordLocations: (...args: Parameters<typeof user.recordLocations>) => user.recordLocations(...args),
      findTombstones: (...args: Parameters<typeof user.findTombstones>) => user.findTombstones(...args),
      findConsentLimits: (...args: Parameters<typeof user.findConsentLimits>) =>
        user.findConsentLimits(...args),
    }),
    LOCATION: withFaults("locationService", {
      applyTotals: (...args: Parameters<typeof location.applyTotals>) => location.applyTotals(...args),
      coarsen: async (point: Point) => ok({ point: coarsenToCity(point), place: null }),
      coarsenPoints: async (points: Point[]) => ok(points.map(coarsenToCity)),
    }),
    PRODUCT: withFaults("productService", {
      getCards: async (_application: string, wanted: readonly CardRequest[]) =>
        ok(wanted.map(({ productId }) => card(productId))),
    }),
    TRAINING_LOG: counter.store(
      "bucket",
      "trainingLog",
      faults.wrap("trainingLog", bindings.TRAINING_LOG, ["put", "head"]),
    ),
    DEAD_LETTERS: counter.store("bucket", "deadLetters", bindings.DEAD_LETTERS),
    USER_SESSION: counter.objects("session", faults.wrap("session", bindings.USER_SESSION, [])),
    INTERACTIONS: counter.store("queue", "queue", queues.interactions),
    LOCATIONS: queues.locations,
    PSEUDONYM_SECRET: bindings.PSEUDONYM_SECRET,
  } as unknown as RecommendationEnv;
}

/**
 * One application with its users, a client that sends events, and the queues and stores that the events pass through.
 */
export class EventPipeline {
  readonly application: string;
  readonly #env = recommendationEnv();
  #confirmations = new Confirmations(this.#env.USER_SESSION);
  /** Every event that was sent, by `user/event`. */
  readonly sent = new Map<string, EventInput>();
  /** The events whose storage was acknowledged to the client, by `user/event`. */
  readonly acknowledged = new Set<string>();
  /** Number of events that the answers counted as accepted. */
  accepted = 0;

  constructor(application: string) {
    this.application = application;
  }

  session(userId: string): DurableObjectStub<UserSession> {
    return userSessionStub(bindings.USER_SESSION, this.application, userId, null);
  }

  /** Adds the products to their cell. */
  async putProducts(): Promise<void> {
    await cellStub(bindings.CELL, this.application, leaf).applyChanges(
      this.application,
      leaf,
      productIds.map((productId) => {
        const {
          id: _id,
          image: _image,
          cell: _cell,
          price: _price,
          priceAfterDiscount: _paid,
          ...rest
        } = card(productId);
        return {
          ...rest,
          productId,
          priceMinor: 400,
          deleted: false,
          previousCell: null,
          createdAt: 1,
        };
      }),
      [],
    );
  }

  /** Sends events in one request. Rejected events may be sent again. */
  async send(events: readonly EventInput[]): Promise<EventReceipt> {
    for (const event of events) this.sent.set(`${event.userId}/${event.eventId}`, event);
    const later: Promise<unknown>[] = [];
    const { answer: ingested } = await counter.run("recommendation", "events", () =>
      ingestEvents(
        this.#env,
        this.application,
        { events, requester: trustedRequester },
        Date.now() / 1000,
        (work) => later.push(work),
      ),
    );
    const { receipt } = unwrap(ingested, "the recommendation service");
    await Promise.all(later);
    const refused = new Set(receipt.rejected.map(({ index }) => index));
    events.forEach((event, index) => {
      if (!refused.has(index)) this.acknowledged.add(`${event.userId}/${event.eventId}`);
    });
    this.accepted += receipt.accepted;
    return receipt;
  }

  /** Imports events as history. If the import fails, none of its events counts as acknowledged. */
  async importHistory(events: readonly EventInput[]): Promise<void> {
    for (const event of events) this.sent.set(`${event.userId}/${event.eventId}`, event);
    const now = Date.now() / 1000;
    const { answer: report } = await counter.run("recommendation", "history", () =>
      ingestHistory(this.#env, this.application, events, now).catch(() => null),
    );
    if (!report) return;
    // After the clock was set back, events may be in the future. An import rejects such events.
    const accepted = events.filter(({ timestamp }) => !isInFuture(eventTimeOf(timestamp, now), now));
    if (report.rejected.length !== events.length - accepted.length)
      throw new Error(
        `The import rejected ${report.rejected.length} of ${events.length} events, not only those in the future.`,
      );
    for (const event of accepted) this.acknowledged.add(`${event.userId}/${event.eventId}`);
  }

  /**
   * Sends all unacknowledged events again, after correcting a clock that was set back. Imports events as history that
   * are too old for live events, because the clock was set forward.
   */
  async resendUnacknowledged(): Promise<void> {
    const times = [...this.sent.values()].map(({ timestamp = 0 }) => new Date(timestamp).getTime());
    vi.setSystemTime(Math.max(Date.now(), ...times));
    const senders = [
      (events: EventInput[]) => this.send(events).then(() => undefined),
      (events: EventInput[]) => this.importHistory(events),
    ];
    for (const resend of senders) {
      const rest = [...this.sent].filter(([key]) => !this.acknowledged.has(key)).map(([, event]) => event);
      for (let i = 0; i < rest.length; i += 50) await resend(rest.slice(i, i + 50));
    }
  }

  /** Delivers the selected messages in one batch per queue. Failed messages stay queued; with `keepCopies`, all do. */
  async deliverMessages(isSelected: (index: number) => boolean, keepCopies = false): Promise<void> {
    for (const queue of ["interactions", "locations"] as const) {
      const selected = queuedMessages.filter(
        (message, index) => message.queue === queue && isSelected(index),
      );
      if (selected.length === 0) continue;
      if (!keepCopies) remove(selected);
      const failed = await this.#consume(queue, selected);
      if (!keepCopies) queuedMessages.push(...failed);
    }
  }

  /** Moves all messages to the dead-letter queues, as the platform does after their last attempt, and consumes them. */
  async giveUpMessages(): Promise<void> {
    for (const { queue, ...message } of queuedMessages.splice(0))
      await this.#consume(`${queue}-dead`, [{ queue, ...message }]);
  }

  async #consume(queue: string, messages: QueuedMessage[]): Promise<QueuedMessage[]> {
    const batch = createMessageBatch(
      `vicinity-${queue}`,
      messages.map((message, i) => ({
        id: `m${i}`,
        timestamp: new Date(),
        attempts: ++message.attempts,
        body: structuredClone(message.body),
      })),
    );
    await counter.run("recommendation", `a batch of ${queue}`, () =>
      consumeBatch(batch, this.#env, this.#confirmations),
    );
    const { retryMessages } = await getQueueResult(batch, createExecutionContext());
    return retryMessages.map(({ msgId }) => messages[Number(msgId.slice(1))]);
  }

  /** Confirms the delivered rows to the users' objects. */
  async confirmDelivered(): Promise<void> {
    await this.#confirmations.send().catch(() => undefined);
  }

  /** Loses the confirmations that were not sent, as if the consumer's isolate ended. */
  loseConfirmations(): void {
    this.#confirmations = new Confirmations(this.#env.USER_SESSION);
  }

  async evictSession(userId: string): Promise<void> {
    await evictDurableObject(this.session(userId)).catch(() => undefined);
  }

  async runSessionAlarm(userId: string): Promise<void> {
    await runDurableObjectAlarm(this.session(userId));
  }

  /** Runs the alarms of users' objects, delivers messages until the queues are empty, and confirms the rows. */
  async deliverAll(users: readonly string[]): Promise<void> {
    for (const userId of users) await this.runSessionAlarm(userId);
    for (let i = 0; queuedMessages.length > 0 && i < 20; i++) await this.deliverMessages(() => true);
    await this.confirmDelivered();
  }

  /** Stops all faults, then advances the time, runs alarms and empties the queues until every event is delivered. */
  async drain(users: readonly string[], rounds = 6): Promise<void> {
    faults.stop();
    for (let round = 0; round < rounds; round++) {
      vi.setSystemTime(Date.now() + roundMs);
      await this.resendUnacknowledged();
      await this.deliverAll(users);
    }
  }

  /** Returns the stored interactions as `user/event`, and the stored totals by product. */
  async storedInteractions(): Promise<{ keys: string[]; totals: Map<string, Totals> }> {
    const keys: string[] = [];
    const totals = new Map<string, Totals>();
    for (const database of [bindings.DB, bindings.DB_1]) {
      const rows = await readAllInteractions(database, this.application);
      keys.push(...rows.map(({ userId, eventId }) => `${userId}/${eventId}`));
      const sums = await database
        .prepare(
          `SELECT product_id AS id, sum(view) AS view, sum(click) AS click, sum(cart) AS cart,
             sum(purchase) AS purchase, sum(dismiss) AS dismiss, sum(people) AS people,
             sum(buyers) AS buyers
           FROM interaction_totals WHERE application = ? GROUP BY 1`,
        )
        .bind(this.application)
        .all<Totals & { id: string }>();
      for (const { id, ...counts } of sums.results) {
        const sum = totals.get(id) ?? emptyTotals();
        addTotals(sum, counts);
        totals.set(id, sum);
      }
    }
    return { keys: keys.sort(), totals };
  }

  /** Returns the totals by product in the tile of the products' cell. */
  async publishedTotals(): Promise<Map<string, Totals>> {
    const bytes = await cellStub(bindings.CELL, this.application, leaf).tile();
    const columns = bytes ? decodeColumns(bytes) : null;
    const totals = new Map<string, Totals>();
    for (let row = 0; columns && row < columns.count; row++) {
      const [view, click, cart, purchase, dismiss, people, buyers] = columns.counts.subarray(
        countFields.length * row,
        countFields.length * (row + 1),
      );
      if (view + click + cart + purchase + dismiss > 0)
        totals.set(columns.id(row), { view, click, cart, purchase, dismiss, people, buyers });
    }
    return totals;
  }

  /** Returns the number of interactions in the training log. */
  async loggedInteractions(): Promise<number> {
    const { TRAINING_LOG } = bindings;
    const days = await logDays(TRAINING_LOG, this.application);
    return (await countLogLines(TRAINING_LOG, this.application, days)).interactions;
  }

  async storedProfile(userId: string): Promise<UserProfile | null> {
    const read = await this.session(userId).encodedProfileFor(trustedRequester);
    const { bytes } = unwrap(read, "the user object");
    return bytes && bytes.byteLength > 0 ? decodeProfile(bytes, "exact") : null;
  }
}

function remove(messages: readonly QueuedMessage[]): void {
  for (const message of messages) queuedMessages.splice(queuedMessages.indexOf(message), 1);
}
