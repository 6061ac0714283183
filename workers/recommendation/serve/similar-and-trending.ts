import { type Columns, nextProductsOf } from "../../../model/columns/columns.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { rowOfHash } from "../../../model/columns/row-index.ts";
import { defaultFirstStage } from "../../../model/retrieval/first-stage.ts";
import { popularityScore } from "../../../model/tiles/engagement.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { type CardRequest, cardsOfAnyVersion } from "../../../shared/contracts/product.ts";
import type { RecommendationList } from "../../../shared/contracts/recommendation.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { loadCardsById } from "./cards.ts";
import { locationCandidateStore } from "./location-candidates.ts";

/** Weight of a product's share of the next choices, against at most 1 for a nearby product of the same category. */
const nextProductWeight = 3;
/** Weight of imaginary other choices: few observed transitions must not outrank the nearby products. */
const nextProductPriorWeight = 5;
/** Nearby products of the same category that compete. */
const maxNearby = 200;
/** Rank at which the score of a nearby product has halved. */
const nearbyHalfRank = 20;

/** The fields of a first-stage query that describe a user. They are empty: these lists are the same for every user. */
const anonymousQuery = { usual: [], categories: [], hour: null, weights: defaultFirstStage };

/** Returns the `limit` best products with their cards, best first. Products without a card are left out. */
async function rankedList(
  env: RecommendationEnv,
  application: string,
  scored: (CardRequest & { score: number })[],
  limit: number,
): Promise<Result<RecommendationList>> {
  const best = scored.sort((a, b) => b.score - a.score).slice(0, limit);
  const cards = await loadCardsById(env.PRODUCT, application, best);
  if (!cards.ok) return cards;
  const items: RecommendationList["items"] = [];
  for (const { productId, score } of best) {
    const card = cards.value.get(productId);
    if (!card) continue;
    const { cell: _cell, version: _version, ...product } = card;
    items.push({ productId, rank: items.length + 1, score, product });
  }
  return ok({ items });
}

const rowIndices = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

/** Returns products that users chose after a product, and products of its category near it, best first. */
export async function similarProducts(
  env: RecommendationEnv,
  application: string,
  productId: string,
  limit: number,
): Promise<Result<RecommendationList>> {
  const cards = await env.PRODUCT.getCards(application, cardsOfAnyVersion([productId]));
  if (!cards.ok) return cards;
  const [card] = cards.value;
  if (!card) return refuse("not_found", `There is no product ${productId}.`);
  const store = locationCandidateStore(env.LOCATION, application);
  const now = Date.now() / 1000;
  const [own, near] = await Promise.all([
    store.productColumns([{ productId, cell: card.cell }], 1),
    store.firstStageCandidates({
      ...anonymousQuery,
      point: card.location,
      limit: maxNearby,
      filter: { categories: [card.category] },
      now,
    }),
  ]);
  const scores = new Map<string, CardRequest & { score: number }>();
  rowIndices(near).forEach((row, i) => {
    const id = near.id(row);
    scores.set(id, { productId: id, version: near.version[row], score: 1 / (1 + i / nearbyHalfRank) });
  });
  const row = rowOfHash(own, hash53(productId));
  if (row !== undefined) {
    const nextProducts = nextProductsOf(own, row);
    const total = nextProducts.reduce((sum, each) => sum + each.weight, nextProductPriorWeight);
    for (const { productId: id, weight } of nextProducts) {
      const known = scores.get(id) ?? { productId: id, version: 0, score: 0 };
      scores.set(id, { ...known, score: known.score + (nextProductWeight * weight) / total });
    }
  }
  scores.delete(productId);
  return rankedList(env, application, [...scores.values()], limit);
}

/** Returns the products that are popular near a point now; worldwide if the point is null. Best first. */
export async function trendingProducts(
  env: RecommendationEnv,
  application: string,
  point: Point | null,
  limit: number,
): Promise<Result<RecommendationList>> {
  const block = await locationCandidateStore(env.LOCATION, application).firstStageCandidates({
    ...anonymousQuery,
    point,
    limit,
    filter: {},
    now: Date.now() / 1000,
  });
  const scored = rowIndices(block).map((row) => ({
    productId: block.id(row),
    version: block.version[row],
    score: popularityScore(block, row),
  }));
  return rankedList(env, application, scored, limit);
}
