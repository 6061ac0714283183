/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import { buildLeafTile } from "../../../model/tiles/build-tiles.ts";
import { noCatalogSchema } from "../../../shared/contracts/catalog-schema.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { recommendationInput } from "../../../shared/contracts/recommendation.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { addressOf, leafCellAt } from "../../../shared/geo/cells.ts";
import { shownPrice } from "../../../shared/money/shown-price.ts";
import { recommendProducts } from "../serve/recommend.ts";

export const sessionEnvironment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
export const osloPoint = { lat: 59.91, lon: 10.75 };
export const leaf = leafCellAt(osloPoint, 0);
const nowhere = { city: null, country: null, point: null, timezone: null };
export const osloProducts = Array.from({ length: 20 }, (_, i) => ({
  cell: addressOf(osloPoint, 0),
  change: {
    productId: `p${i}`,
    version: 1,
    deleted: false,
    title: `Product ${i}`,
    category: "books",
    priceMinor: 250,
    currency: "EUR",
    discount: 0,
    rating: null,
    available: true,
    groupId: null,
    location: osloPoint,
    previousCell: null,
    createdAt: 1_700_000_000,
  },
  hours: [],
  nextProducts: [],
}));
export const block = buildLeafTile(leaf, 1, 1_700_000_000, osloProducts, () => 0);
const cards = osloProducts.map(({ change: { productId, version, ...rest } }) => {
  const { deleted: _deleted, previousCell: _previous, createdAt: _created, priceMinor, ...card } = rest;
  return {
    ...card,
    ...shownPrice(priceMinor, card.currency, card.discount),
    id: productId,
    image: "/picture",
    cell: leaf,
    version,
  };
});
const inOslo = { city: "Oslo", country: "NO", timezone: "Europe/Oslo", cell: leaf, distanceKm: 1 };
export const rejectAsDown = () => Promise.reject(new Error("down"));

/** Services that work, with a registry that fails. Tests replace single services. */
export const services = {
  USER_SESSION: sessionEnvironment.USER_SESSION,
  DB: {
    prepare: () => {
      throw new Error("down");
    },
  },
  MODELS: { get: rejectAsDown },
  IMPRESSION_DELAY_MS: "0",
  PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef",
  LOCATION: {
    resolveLocation: async () => ok(inOslo),
    coarsen: async () => ok({ point: { lat: 59.9, lon: 10.7 }, place: null }),
    coarsenPoints: async (points: Point[]) => ok(points.map(() => ({ lat: 59.9, lon: 10.7 }))),
    edgePoint: async () => ok(null),
    filterCurrency: async () => ok("NOK"),
    filterCurrencies: async (_application: string, points: unknown[]) => ok(points.map(() => "NOK")),
    gatherManyCandidates: async (_application: string, queries: unknown[]) =>
      ok(
        queries.map(() => ({
          near: block,
          chosen: block,
          next: null,
          skipped: [] as string[],
          place: inOslo,
        })),
      ),
    gatherCandidates: async () =>
      ok({ near: block, chosen: block, next: null, skipped: [] as string[], place: inOslo }),
    firstStageCandidates: async () => ok(block),
    productColumns: async () => ok(block),
  },
  PRODUCT: { getCards: async () => ok(cards), getSchema: async () => ok(noCatalogSchema) },
};

/** Returns a recommendation for Ann in Oslo, after its background work is done. */
export async function recommendForAnn(
  change: object,
  input: object = {},
  application = "demo",
  requester = trustedRequester,
) {
  const pending: Promise<unknown>[] = [];
  const result = await recommendProducts(
    { ...services, ...change } as never,
    application,
    {
      input: recommendationInput.parse({ userId: "ann", location: osloPoint, limit: 5, ...input }),
      edge: nowhere,
      requester,
    },
    (work) => void pending.push(work.catch(() => null)),
  );
  await Promise.all(pending);
  return result;
}
