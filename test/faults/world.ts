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
import { cellStub } from "../../durable-objects/cell/cell-stub.ts";
import type { Cell } from "../../durable-objects/cell.ts";
import { userSessionStub } from "../../durable-objects/user-session/user-session-stub.ts";
import type { UserSession } from "../../durable-objects/user-session.ts";
import { decodeColumns } from "../../model/columns/columns.ts";
import { decodeProfile } from "../../model/profile/codec.ts";
import type { UserProfile } from "../../model/profile/profile.ts";
import type { EventInput, EventReceipt } from "../../shared/contracts/event.ts";
import type { CardRequest, ProductCard } from "../../shared/contracts/product.ts";
import { ok } from "../../shared/contracts/result.ts";
import { addTotals, emptyTotals, type Totals } from "../../shared/contracts/totals.ts";
import { leafCellAt } from "../../shared/geo/cells.ts";
import { LocationService } from "../../workers/location/service.ts";
import { Confirmations } from "../../workers/recommendation/ingest/confirmations.ts";
import {
  ingestEvents,
  ingestHistory,
  isInFuture,
  eventTimeOf,
} from "../../workers/recommendation/ingest/ingest-events.ts";
import { consumeBatch } from "../../workers/recommendation/ingest/queue.ts";
import { countLogLines } from "../../workers/trainer/count-log-lines.ts";
import { UserService } from "../../workers/user/service.ts";
import { faults, queues, type UnderWay, underWay } from "./ports.ts";

/** What the test's worker is bound to. */
export interface Bindings {
  DB: D1Database;
  DB_1: D1Database;
  CELL: DurableObjectNamespace<Cell>;
  USER_SESSION: DurableObjectNamespace<UserSession>;
  TILES: KVNamespace;
  TRAINING_LOG: R2Bucket;
}
export const bindings = env as unknown as Bindings;

/** What is not confirmed is sent again within this, however often it was sent in vain. */
const longestResendMs = 500_000;
const oslo = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(oslo, 0);
export const productIds = ["p0", "p1", "p2", "p3"];
const card = (id: string): ProductCard => ({
  id,
  title: id,
  category: "books",
  price: 4,
  currency: "EUR",
  discount: 0,
  rating: null,
  available: true,
  image: null,
  location: oslo,
  cell: leaf,
  version: 1,
});

const failing = <P extends object>(part: Parameters<typeof faults.around>[0], port: P): P =>
  faults.around(part, port, Object.keys(port) as (keyof P & string)[]);

/** Real services over real stores, with faults before and after each of their calls. */
function recommendationEnv(): RecommendationEnv {
  const context = createExecutionContext();
  const databases = {
    DB: faults.around("database", bindings.DB, ["batch"]),
    DB_1: faults.around("database", bindings.DB_1, ["batch"]),
  };
  const user = new UserService(context, databases);
  const location = new LocationService(context, {
    DB: bindings.DB,
    TILES: bindings.TILES,
    CELL: bindings.CELL,
  } as unknown as LocationEnv);
  return {
    USER: failing("records", {
      recordInteractions: (...given: Parameters<typeof user.recordInteractions>) =>
        user.recordInteractions(...given),
      hourlyTotals: (...given: Parameters<typeof user.hourlyTotals>) => user.hourlyTotals(...given),
      recordLocations: (...given: Parameters<typeof user.recordLocations>) => user.recordLocations(...given),
      findTombstones: (...given: Parameters<typeof user.findTombstones>) => user.findTombstones(...given),
    }),
    LOCATION: failing("cells", {
      applyTotals: (...given: Parameters<typeof location.applyTotals>) => location.applyTotals(...given),
    }),
    PRODUCT: failing("catalogue", {
      getCards: async (_application: string, wanted: readonly CardRequest[]) =>
        ok(wanted.map(({ productId }) => card(productId))),
    }),
    TRAINING_LOG: faults.around("log", bindings.TRAINING_LOG, ["put", "head"]),
    USER_SESSION: faults.around("session", bindings.USER_SESSION, []),
    INTERACTIONS: queues.interactions,
    LOCATIONS: queues.locations,
  } as unknown as RecommendationEnv;
}

/** One application's people, their client, and the queues between objects and records. */
export class World {
  readonly application: string;
  readonly #env = recommendationEnv();
  #confirmations = new Confirmations(this.#env.USER_SESSION);
  /** Every event that was sent, by person and id. */
  readonly sent = new Map<string, EventInput>();
  /** Those of which the client was told that they are kept. */
  readonly told = new Set<string>();
  /** How often the client was told `accepted`. */
  accepted = 0;

  constructor(application: string) {
    this.application = application;
  }

  session(userId: string): DurableObjectStub<UserSession> {
    return userSessionStub(bindings.USER_SESSION, this.application, userId, null);
  }

  /** The products are in their cell. */
  async open(): Promise<void> {
    await cellStub(bindings.CELL, this.application, leaf).applyChanges(
      this.application,
      leaf,
      productIds.map((productId) => {
        const { id: _id, image: _image, cell: _cell, ...rest } = card(productId);
        return { ...rest, productId, deleted: false, previousCell: null, createdAt: 1 };
      }),
      [],
    );
  }

  /** A request; what was not taken may be sent again. */
  async send(events: readonly EventInput[]): Promise<EventReceipt> {
    for (const event of events) this.sent.set(`${event.userId}/${event.eventId}`, event);
    const later: Promise<unknown>[] = [];
    const { receipt } = await ingestEvents(this.#env, this.application, events, Date.now() / 1000, (work) =>
      later.push(work),
    );
    await Promise.all(later);
    const refused = new Set(receipt.rejected.map(({ index }) => index));
    events.forEach((event, index) => {
      if (!refused.has(index)) this.told.add(`${event.userId}/${event.eventId}`);
    });
    this.accepted += receipt.accepted;
    return receipt;
  }

  /** History, brought to the records by its caller; where that fails, nothing was promised. */
  async import(events: readonly EventInput[]): Promise<void> {
    for (const event of events) this.sent.set(`${event.userId}/${event.eventId}`, event);
    const now = Date.now() / 1000;
    const report = await ingestHistory(this.#env, this.application, events, now).catch(() => null);
    if (!report) return;
    // A clock that went back refuses what is yet to come by it.
    const taken = events.filter(({ timestamp }) => !isInFuture(eventTimeOf(timestamp, now), now));
    if (report.rejected !== events.length - taken.length)
      throw new Error(`${report.rejected} of ${events.length} events of history were refused`);
    for (const event of taken) this.told.add(`${event.userId}/${event.eventId}`);
  }

  /**
   * What the client was not told of goes out again, once a clock that went back is set right; as history, where one that
   * jumped put it out of the window.
   */
  async sendRest(): Promise<void> {
    const times = [...this.sent.values()].map(({ timestamp = 0 }) => new Date(timestamp).getTime());
    vi.setSystemTime(Math.max(Date.now(), ...times));
    const ways = [
      (events: EventInput[]) => this.send(events).then(() => undefined),
      (events: EventInput[]) => this.import(events),
    ];
    for (const again of ways) {
      const rest = [...this.sent].filter(([key]) => !this.told.has(key)).map(([, event]) => event);
      for (let i = 0; i < rest.length; i += 50) await again(rest.slice(i, i + 50));
    }
  }

  /** Delivers some of the messages under way together; those that are to be tried again stay. */
  async deliver(which: (index: number) => boolean, keepCopies = false): Promise<void> {
    for (const queue of ["interactions", "locations"] as const) {
      const chosen = underWay.filter((message, index) => message.queue === queue && which(index));
      if (chosen.length === 0) continue;
      if (!keepCopies) remove(chosen);
      const again = await this.#consume(queue, chosen);
      if (!keepCopies) underWay.push(...again);
    }
  }

  async #consume(queue: string, messages: UnderWay[]): Promise<UnderWay[]> {
    const batch = createMessageBatch(
      `vicinity-${queue}`,
      messages.map((message, i) => ({
        id: `m${i}`,
        timestamp: new Date(),
        attempts: ++message.attempts,
        body: structuredClone(message.body),
      })),
    );
    await consumeBatch(batch, this.#env, this.#confirmations);
    const { retryMessages } = await getQueueResult(batch, createExecutionContext());
    return retryMessages.map(({ msgId }) => messages[Number(msgId.slice(1))]);
  }

  /** People hear what was done so far. */
  async confirm(): Promise<void> {
    await this.#confirmations.send().catch(() => undefined);
  }

  /** The consumer's isolate is gone, before people heard what it did. */
  loseConsumer(): void {
    this.#confirmations = new Confirmations(this.#env.USER_SESSION);
  }

  async evict(userId: string): Promise<void> {
    await evictDurableObject(this.session(userId)).catch(() => undefined);
  }

  async wake(userId: string): Promise<void> {
    await runDurableObjectAlarm(this.session(userId));
  }

  /** Nothing fails any more: time goes by, alarms ring, queues run empty. */
  async comeToRest(users: readonly string[], rounds = 6): Promise<void> {
    faults.end();
    for (let round = 0; round < rounds; round++) {
      vi.setSystemTime(Date.now() + longestResendMs);
      await this.sendRest();
      for (const userId of users) await this.wake(userId);
      for (let i = 0; underWay.length > 0 && i < 20; i++) await this.deliver(() => true);
      await this.confirm();
    }
  }

  /** Rows of the table of interactions, `person/event`, and its recounted totals by product. */
  async recorded(): Promise<{ keys: string[]; totals: Map<string, Totals> }> {
    const keys: string[] = [];
    const totals = new Map<string, Totals>();
    for (const database of [bindings.DB, bindings.DB_1]) {
      const { results } = await database
        .prepare("SELECT user_id AS u, event_id AS e FROM interactions WHERE application = ?")
        .bind(this.application)
        .all<{ u: string; e: string }>();
      keys.push(...results.map(({ u, e }) => `${u}/${e}`));
      const sums = await database
        .prepare(
          `SELECT product_id AS id, sum(view) AS view, sum(click) AS click, sum(cart) AS cart,
             sum(purchase) AS purchase, sum(dismiss) AS dismiss, sum(people) AS people
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

  /** Totals that the products' cell shows. */
  async shown(): Promise<Map<string, Totals>> {
    const bytes = await cellStub(bindings.CELL, this.application, leaf).tile();
    const columns = bytes ? decodeColumns(bytes) : null;
    const totals = new Map<string, Totals>();
    for (let row = 0; columns && row < columns.count; row++) {
      const [view, click, cart, purchase, dismiss, users] = columns.counts.subarray(6 * row, 6 * row + 6);
      if (view + click + cart + purchase + dismiss > 0)
        totals.set(columns.id(row), { view, click, cart, purchase, dismiss, people: users });
    }
    return totals;
  }

  /** Interactions that a snapshot of the training log finds. */
  async logged(): Promise<number> {
    return (await countLogLines(bindings.TRAINING_LOG, `${this.application}/log/v1/`)).interactions;
  }

  async profile(userId: string): Promise<UserProfile | null> {
    const bytes = await this.session(userId).encodedProfile();
    return bytes.byteLength > 0 ? decodeProfile(bytes) : null;
  }
}

function remove(messages: readonly UnderWay[]): void {
  for (const message of messages) underWay.splice(underWay.indexOf(message), 1);
}
