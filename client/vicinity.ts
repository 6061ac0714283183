import type { z } from "zod";
import type { IssuedToken } from "../shared/contracts/credential.ts";
import type { EventInput, EventReceipt } from "../shared/contracts/event.ts";
import type { NearbyAnswer, ResolvedLocation } from "../shared/contracts/location.ts";
import type { Point } from "../shared/contracts/primitives.ts";
import type { BulkReport } from "../shared/contracts/product.ts";
import type {
  RecommendationAnswer,
  RecommendationList,
  RecommendationReceipt,
  recommendationInput,
} from "../shared/contracts/recommendation.ts";
import { Keys } from "./keys.ts";
import { Products } from "./products.ts";
import { type FetchFunction, jsonBody, ndjsonBody, Transport } from "./transport.ts";
import { Users } from "./users.ts";

/** Where the service is, and as whom to call it. */
export interface VicinityOptions {
  url: string;
  /** An admin key, a client key, or a person's token. */
  credential: string;
  /** `fetch` of the surroundings unless given. */
  fetch?: FetchFunction;
}

/** The typed client. Every method throws a {@link VicinityError} where the service refuses. */
export class Vicinity {
  readonly users: Users;
  readonly products: Products;
  readonly keys: Keys;
  readonly #transport: Transport;

  constructor({ url, credential, fetch = (at, init) => globalThis.fetch(at, init) }: VicinityOptions) {
    this.#transport = new Transport(url, credential, fetch);
    this.users = new Users(this.#transport);
    this.products = new Products(this.#transport);
    this.keys = new Keys(this.#transport);
  }

  /** What should this person see, here, now? */
  recommend(input: z.input<typeof recommendationInput>): Promise<RecommendationAnswer> {
    return this.#transport.call("POST", "/v1/recommendations", {}, jsonBody(input));
  }
  receipt(recommendationId: string): Promise<RecommendationReceipt> {
    return this.#transport.call("GET", `/v1/recommendations/${encodeURIComponent(recommendationId)}`);
  }
  /** Up to 100 at a time; each counts once by its `eventId`, so a repetition does no harm. */
  sendEvents(events: readonly EventInput[]): Promise<EventReceipt> {
    return this.#transport.call("POST", "/v1/events", {}, jsonBody({ events }));
  }
  /** Past events, up to 10,000 at a time. */
  importEvents(events: readonly EventInput[]): Promise<BulkReport> {
    return this.#transport.call("POST", "/v1/events/bulk", {}, ndjsonBody(events));
  }
  nearby(
    point: Point,
    options: { radiusKm?: number; limit?: number; category?: string } = {},
  ): Promise<NearbyAnswer> {
    return this.#transport.call("GET", "/v1/locations/nearby", { ...point, ...options });
  }
  resolve(point: Point): Promise<ResolvedLocation> {
    return this.#transport.call("GET", "/v1/locations/resolve", { ...point });
  }
  trending(point?: Point, limit?: number): Promise<RecommendationList> {
    return this.#transport.call("GET", "/v1/trending", { ...point, limit });
  }
  issueToken(userId: string, ttlSeconds?: number): Promise<IssuedToken> {
    return this.#transport.call("POST", "/v1/tokens", {}, jsonBody({ userId, ttlSeconds }));
  }
  /** A WebSocket of fresh recommendations; `heard` gets each as it is pushed. Close it to stop. */
  openLive(userId: string, onAnswer: (answer: RecommendationAnswer) => void): WebSocket {
    const [url, protocols] = this.#transport.socket(`/v1/users/${encodeURIComponent(userId)}/live`);
    const socket = new WebSocket(url, protocols);
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") onAnswer(JSON.parse(data));
    });
    return socket;
  }
}
