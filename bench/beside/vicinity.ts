import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { waitUntilVisible } from "../../scripts/marketplace/wait-until-visible.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import type { EventReceipt } from "../../shared/contracts/event.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { sendOnce } from "../load/closed-loop.ts";
import { type LoadRequest, statusFailure } from "../load/requests.ts";
import type { Recommender } from "./recommender.ts";

const authorization = { authorization: `Bearer ${developmentKey}` };

const post = (path: string, body: object): Omit<LoadRequest, "failure"> => ({
  method: "POST",
  path,
  headers: { ...authorization, "content-type": "application/json" },
  body: JSON.stringify(body),
});

const productRequest = (id: string): LoadRequest => ({
  method: "GET",
  path: `/v1/products/${encodeURIComponent(id)}`,
  headers: authorization,
  failure: (status, text) => statusFailure(200, status, text),
});

/** Returns the adapter for Vicinity as `npm start` serves it. `candidates` is how many products the model ranks. */
export const vicinity = (candidates: number): Recommender => ({
  name: "vicinity",

  health: () => ({
    method: "GET",
    path: "/healthz",
    headers: {},
    failure: (status, text) => statusFailure(200, status, text),
  }),

  list: ({ userId, point, items }) => ({
    ...post("/v1/recommendations", { userId, location: point, limit: items, candidates }),
    failure(status, text) {
      const wrong = statusFailure(200, status, text);
      if (wrong !== null) return wrong;
      const { items: found } = JSON.parse(text) as RecommendationAnswer;
      return found.length === items ? null : `${found.length} items instead of ${items} for user ${userId}`;
    },
  }),

  events: (events) => ({
    ...post("/v1/events", { events }),
    failure(status, text) {
      const wrong = statusFailure(202, status, text);
      if (wrong !== null) return wrong;
      const { accepted, rejected, warnings } = JSON.parse(text) as EventReceipt;
      if (accepted !== events.length)
        return `${accepted} events accepted instead of ${events.length}: ${JSON.stringify(rejected.slice(0, 1))}`;
      // Warnings about the location are usual: it is stored coarser than it was sent, and a user whom the data left in
      // another city is believed from the second event on.
      const unknown = warnings.find(({ code }) => code === "unknown_product");
      return unknown === undefined ? null : `warning: ${JSON.stringify(unknown)}`;
    },
  }),

  async load(url, marketplace, log) {
    const newest = marketplace.products.at(-1);
    if (newest === undefined) throw new Error("The marketplace has no products.");
    const { status, text } = await sendOnce(url, productRequest(newest.id));
    if (status === 200) return "has the products already";
    if (status !== 404) throw new Error(`GET /v1/products/${newest.id} answered ${status}: ${text}`);
    const target = { url, key: developmentKey };
    await loadMarketplace(marketplace, target, (step, done, total) => log(`${step}: ${done} of ${total}`));
    await waitUntilVisible(target, marketplace.products);
    return `loaded ${marketplace.products.length} products and ${marketplace.events.length} events`;
  },
});
