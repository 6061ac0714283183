/// <reference types="@cloudflare/vitest-plugin/types" />
import {
  createExecutionContext,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Cell } from "../../durable-objects/cell/cell.ts";
import { cellStub } from "../../durable-objects/cell/cell-stub.ts";
import type { UserSession } from "../../durable-objects/user-session/user-session.ts";
import { gatherCandidates } from "../../model/candidate-sources/gather-candidates.ts";
import { tileCandidateStore } from "../../model/candidate-sources/in-process-candidates.ts";
import { addressOfProduct } from "../../model/tiles/cell-product.ts";
import type { EventInput, EventReceipt } from "../../shared/contracts/event.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { CardRequest, ProductCard, ProductChange } from "../../shared/contracts/product.ts";
import { recommendationInput } from "../../shared/contracts/recommendation.ts";
import { type Requester, trustedRequester } from "../../shared/contracts/requester.ts";
import { ok, unwrap } from "../../shared/contracts/result.ts";
import type { CandidateRequest, FirstStageQuery, ProductRef } from "../../shared/contracts/retrieval.ts";
import type { Totals } from "../../shared/contracts/totals.ts";
import { leafCell, parentCell } from "../../shared/geo/cells.ts";
import { LocationService } from "../../workers/location/service.ts";
import { Confirmations } from "../../workers/recommendation/ingest/confirmations.ts";
import { deliverRows, mergeByUser } from "../../workers/recommendation/ingest/deliver-rows.ts";
import { ingestEvents, ingestHistory } from "../../workers/recommendation/ingest/ingest-events.ts";
import { recommendProducts } from "../../workers/recommendation/serve/recommend.ts";
import {
  similarProducts,
  trendingProducts,
} from "../../workers/recommendation/serve/similar-and-trending.ts";
import { UserService } from "../../workers/user/service.ts";
import { oldTiles, type SentEvent } from "./old-counts.ts";
import { sentMessages } from "./sent-messages.ts";

/** These lists read nothing in the background. */
const noBackground = (): void => undefined;

/** The bindings of the test's worker. */
interface Bindings {
  USERS: D1Database;
  CITIES: D1Database;
  MODELS_DB: D1Database;
  CELL: DurableObjectNamespace<Cell>;
  USER_SESSION: DurableObjectNamespace<UserSession>;
  TILES: KVNamespace;
}
export const bindings = env as unknown as Bindings;

/** The center of the shop's products, and of its users. */
export const center: Point = { lat: 59.9139, lon: 10.7522 };
const nowhere = { city: null, country: null, point: null, timezone: null };
/** Items of a list that rank a product: more than there are products. */
const wholeList = 100;
const messagesPerBatch = 50;
const seconds = (): number => Date.now() / 1000;

/** Which counts a list is made of: those of Vicinity, or those of version 0.2 after the same events. */
export type Rules = "now" | "before";

/** One application with its products and users, and the real code of the event path and of the lists. */
export class Shop {
  readonly #application: string;
  readonly #products: readonly ProductChange[];
  readonly #location: LocationService;
  readonly #env: RecommendationEnv;
  /** All events that were sent, accepted or not: version 0.2 accepted them. */
  readonly #sent: SentEvent[] = [];
  #old: { events: number; time: number; tiles: ReturnType<typeof oldTiles> } | null = null;

  constructor(application: string, products: readonly ProductChange[]) {
    this.#application = application;
    this.#products = products;
    const context = createExecutionContext();
    const user = new UserService(context, { DB: bindings.USERS } as unknown as UserEnv);
    this.#location = new LocationService(context, {
      ...env,
      DB: bindings.CITIES,
    } as unknown as LocationEnv);
    this.#env = {
      ...env,
      DB: bindings.MODELS_DB,
      USER: user,
      LOCATION: this.#location,
      PRODUCT: { getCards: async (_: string, wanted: readonly CardRequest[]) => ok(this.#cards(wanted)) },
      INTERACTIONS: sentMessages.queue,
      LOCATIONS: sentMessages.dropped,
    } as unknown as RecommendationEnv;
  }

  #cards(wanted: readonly CardRequest[]): (ProductCard | null)[] {
    return wanted.map(({ productId }) => {
      const change = this.#products.find((each) => each.productId === productId);
      if (!change) return null;
      const { title, category, location, version } = change;
      return {
        ...{ id: productId, title, category, location, version, cell: addressOfProduct(change) },
        ...{ price: 4, priceAfterDiscount: 4, currency: "EUR", discount: 0, rating: null },
        ...{ available: true, groupId: null, image: null },
      };
    });
  }

  /** Adds the products to the index. */
  async open(): Promise<void> {
    unwrap(await this.#location.applyProductChanges(this.#application, [...this.#products]), "the index");
    await this.publish();
  }

  #remember(events: readonly EventInput[]): void {
    for (const { userId, productId, type, timestamp } of events)
      if (type !== "refund")
        this.#sent.push({
          ...{ userId, productId, type },
          time: timestamp === undefined ? seconds() : Date.parse(timestamp) / 1000,
        });
  }

  /** Imports history with a server key. */
  async importHistory(events: readonly EventInput[]): Promise<void> {
    this.#remember(events);
    for (let i = 0; i < events.length; i += 1000)
      await ingestHistory(this.#env, this.#application, events.slice(i, i + 1000), seconds());
  }

  /** Sends events in requests of 100, and returns the receipts. */
  async send(events: readonly EventInput[], requester: Requester): Promise<EventReceipt[]> {
    this.#remember(events);
    const receipts: EventReceipt[] = [];
    for (let i = 0; i < events.length; i += 100) {
      const later: Promise<unknown>[] = [];
      const batch = { events: events.slice(i, i + 100), requester };
      const ingested = await ingestEvents(this.#env, this.#application, batch, seconds(), (work) =>
        later.push(work),
      );
      await Promise.all(later);
      receipts.push(unwrap(ingested, "the recommendation service").receipt);
    }
    return receipts;
  }

  /** Delivers what the users' objects sent to all stores. */
  async deliver(): Promise<void> {
    const messages = sentMessages.take();
    for (let i = 0; i < messages.length; i += messagesPerBatch) {
      const users = mergeByUser(messages.slice(i, i + messagesPerBatch));
      await deliverRows(this.#env, this.#application, users);
      const confirmations = new Confirmations(this.#env.USER_SESSION);
      confirmations.add(users);
      await confirmations.send();
    }
  }

  /** Makes a leaf publish counts at its next alarm that would wait for hours, at a time of day of their own. */
  async #markChanged(leaf: string): Promise<void> {
    const stub = cellStub(bindings.CELL, this.#application, leaf);
    await runInDurableObject(stub, (_, { storage }) => {
      const changed = "json_set(value, '$.contentChanged', json('true'))";
      storage.sql.exec(`UPDATE meta SET value = ${changed} WHERE name = 'state'`);
    });
    await evictDurableObject(stub);
  }

  /** Lets the cells publish what was delivered, and the readers forget older tiles. */
  async publish(): Promise<void> {
    vi.setSystemTime(Date.now() + 900_000);
    const leaves = new Set(this.#products.map((product) => leafCell(addressOfProduct(product))));
    for (let level = leaves; level.size > 0; ) {
      const parents = new Set<string>();
      for (const cell of level) {
        if (level === leaves) await this.#markChanged(cell);
        await runDurableObjectAlarm(cellStub(bindings.CELL, this.#application, cell));
        const parent = parentCell(cell);
        if (parent !== null) parents.add(parent);
      }
      vi.setSystemTime(Date.now() + 60_000);
      level = parents;
    }
  }

  /** Returns the tiles of version 0.2 after the events that were sent. */
  #oldTiles(): ReturnType<typeof oldTiles> {
    if (this.#old?.events !== this.#sent.length || this.#old.time !== seconds()) {
      const products = this.#products.map((change) => ({ change, cell: addressOfProduct(change) }));
      const tiles = oldTiles(products, this.#sent, seconds());
      this.#old = { events: this.#sent.length, time: seconds(), tiles };
    }
    return this.#old.tiles;
  }

  /** Returns an environment whose lists are made of counts by some rules. */
  #envOf(rules: Rules): RecommendationEnv {
    if (rules === "now") return this.#env;
    const store = tileCandidateStore(this.#oldTiles(), seconds);
    const real = this.#location;
    const LOCATION = {
      coarsen: (...args: Parameters<typeof real.coarsen>) => real.coarsen(...args),
      coarsenPoints: (...args: Parameters<typeof real.coarsenPoints>) => real.coarsenPoints(...args),
      filterCurrency: async () => ok("EUR"),
      gatherCandidates: async (_: string, query: CandidateRequest) => {
        const { near, chosen, next, skipped } = await gatherCandidates(store, query);
        const packed = (block: typeof near) => block?.buffer ?? null;
        return ok({ near: packed(near), chosen: packed(chosen), next: packed(next), skipped, place: null });
      },
      firstStageCandidates: async (_: string, query: FirstStageQuery) =>
        ok((await store.firstStageCandidates(query)).buffer),
      productColumns: async (_: string, wanted: readonly ProductRef[], withNext: number) =>
        ok((await store.productColumns(wanted, withNext)).buffer),
    };
    return { ...this.#env, LOCATION } as unknown as RecommendationEnv;
  }

  /** Returns the lifetime totals of all products, in their order. */
  async totals(): Promise<Totals[]> {
    const ids = this.#products.map(({ productId }) => productId);
    return unwrap(await this.#env.USER.lifetimeTotals(this.#application, ids), "the user service");
  }

  /** Returns the products recommended to a user near the center, best first. */
  async recommended(userId: string, location: Point, rules: Rules): Promise<string[]> {
    const later: Promise<unknown>[] = [];
    const input = recommendationInput.parse({ userId, location, limit: wholeList });
    const request = { input, edge: nowhere, requester: trustedRequester };
    const env = Object.assign({ ...this.#envOf(rules) }, { IMPRESSION_DELAY_MS: "0" });
    const answer = await recommendProducts(env, this.#application, request, (work) => later.push(work));
    await Promise.all(later);
    return unwrap(answer, "the recommendation service").items.map(({ productId }) => productId);
  }

  /** Returns the products that are trending near the center, best first. */
  async trending(rules: Rules): Promise<string[]> {
    const query = { limit: wholeList, filter: {}, exclude: [] };
    const list = unwrap(
      await trendingProducts(this.#envOf(rules), this.#application, center, query, noBackground),
      "trending",
    );
    return list.items.map(({ productId }) => productId);
  }

  /** Returns the products that are similar to one, best first. */
  async similar(productId: string, rules: Rules): Promise<string[]> {
    const query = { limit: wholeList, filter: {}, exclude: [] };
    const list = unwrap(
      await similarProducts(this.#envOf(rules), this.#application, productId, query, noBackground),
      "similar",
    );
    return list.items.map((item) => item.productId);
  }
}
