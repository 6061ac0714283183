import type * as z from "zod";
import type { IssuedToken } from "../shared/contracts/credential.ts";
import type { EventInput, EventReceipt } from "../shared/contracts/event.ts";
import type { NearbyAnswer, ResolvedLocation } from "../shared/contracts/location.ts";
import type { Point } from "../shared/contracts/primitives.ts";
import type { BulkReport } from "../shared/contracts/product.ts";
import type { RecommendationReceipt } from "../shared/contracts/receipt.ts";
import type {
  RecommendationAnswer,
  RecommendationList,
  recommendationInput,
} from "../shared/contracts/recommendation.ts";
import type {
  RecommendationBatch,
  recommendationBatchInput,
} from "../shared/contracts/recommendation-batch.ts";
import { Keys } from "./keys.ts";
import type { ListOptions } from "./list-options.ts";
import { Products } from "./products.ts";
import { type FetchFunction, idInPath, Transport, toJsonBody, toNdjsonBody } from "./transport.ts";
import { Users } from "./users.ts";

/** Options of {@link Vicinity}. */
export interface VicinityOptions {
  /** Base URL of the deployment, for example `https://api.example.com`. */
  url: string;
  /** An admin key, a server key, or a user's token. */
  credential: string;
  /** Replaces the global `fetch`. */
  fetch?: FetchFunction;
}

/**
 * Typed client of the HTTP API. Every method throws a {@link VicinityError} if the service answers with an error.
 *
 * @example
 * const vicinity = new Vicinity({ url: "https://api.example.com", credential: apiKey });
 * const { items, recommendationId } = await vicinity.recommend({ userId: "ann", limit: 10 });
 * await vicinity.sendEvents([
 *   { eventId: crypto.randomUUID(), userId: "ann", type: "click", productId: items[0].productId, recommendationId },
 * ]);
 */
export class Vicinity {
  readonly users: Users;
  readonly products: Products;
  readonly keys: Keys;
  readonly #transport: Transport;

  constructor({ url, credential, fetch = (input, init) => globalThis.fetch(input, init) }: VicinityOptions) {
    this.#transport = new Transport(url, credential, fetch);
    this.users = new Users(this.#transport);
    this.products = new Products(this.#transport);
    this.keys = new Keys(this.#transport);
  }

  /** Returns recommendations for a user. With the `next` of the answer before as `cursor`, the list goes on. */
  async recommend(input: z.input<typeof recommendationInput>): Promise<RecommendationAnswer> {
    return this.#transport.call("POST", "/v1/recommendations", {}, toJsonBody(input));
  }
  /** Returns recommendations for up to 100 users, in their order, for example for an email to each of them. */
  async recommendBatch(input: z.input<typeof recommendationBatchInput>): Promise<RecommendationBatch> {
    return this.#transport.call("POST", "/v1/recommendations/batch", {}, toJsonBody(input));
  }
  /** Returns the receipt of a recommendation: what was shown, with which probability, by which model. */
  async receipt(recommendationId: string): Promise<RecommendationReceipt> {
    return this.#transport.call("GET", `/v1/recommendations/${idInPath(recommendationId)}`);
  }
  /** Sends up to 100 events. An event counts once by its `eventId`, so a request may be repeated. */
  async sendEvents(events: readonly EventInput[]): Promise<EventReceipt> {
    return this.#transport.call("POST", "/v1/events", {}, toJsonBody({ events }));
  }
  /**
   * Returns the arguments of `navigator.sendBeacon` for up to 100 events, which a page can send while it is being left. The
   * credential must be a user's token, since the body contains it.
   *
   * @example
   * addEventListener("pagehide", () => navigator.sendBeacon(...vicinity.eventBeacon(events)));
   */
  eventBeacon(events: readonly EventInput[]): [url: string, text: string] {
    return this.#transport.beacon("/v1/events", { events });
  }
  /** Imports up to 1,000 past events. */
  async importEvents(events: readonly EventInput[]): Promise<BulkReport> {
    return this.#transport.call("POST", "/v1/events/bulk", {}, toNdjsonBody(events));
  }
  /** Returns the products nearest to a point. */
  async nearby(point: Point, options: ListOptions = {}): Promise<NearbyAnswer> {
    return this.#transport.call("GET", "/v1/locations/nearby", { ...point, ...options });
  }
  /** Returns the city, country and timezone of a point. */
  async resolveLocation(point: Point): Promise<ResolvedLocation> {
    return this.#transport.call("GET", "/v1/locations/resolve", { ...point });
  }
  /** Returns the most popular products near a point, or of the world without a point. */
  async trending(point?: Point, options: ListOptions = {}): Promise<RecommendationList> {
    return this.#transport.call("GET", "/v1/trending", { ...point, ...options });
  }
  /** Issues a token with which a user's device calls the API, valid for `ttlSeconds` (default 3,600; at most a day). */
  async issueToken(userId: string, ttlSeconds?: number): Promise<IssuedToken> {
    return this.#transport.call("POST", "/v1/tokens", {}, toJsonBody({ userId, ttlSeconds }));
  }
  /**
   * Opens a WebSocket that pushes new recommendations for a user to `onAnswer`. Close the returned socket to stop.
   *
   * @example
   * const socket = vicinity.openLive("ann", ({ items }) => render(items));
   */
  openLive(userId: string, onAnswer: (answer: RecommendationAnswer) => void): WebSocket {
    const [url, protocols] = this.#transport.socket(`/v1/users/${idInPath(userId)}/live`);
    const socket = new WebSocket(url, protocols);
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") onAnswer(JSON.parse(data));
    });
    return socket;
  }
}
