import { type Columns, nextProductsOf } from "../../../model/columns/columns.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { defaultFirstStage } from "../../../model/retrieval/first-stage.ts";
import { popularity } from "../../../model/retrieval/popularity.ts";
import { rowOfHash } from "../../../model/retrieval/tiles.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { anyVersion, type CardRequest } from "../../../shared/contracts/product.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { RecommendationList } from "../../../shared/contracts/services.ts";
import { cardsOf } from "./cards.ts";
import { locationCandidateStore } from "./location-candidates.ts";

/** How much being chosen next says against being alike and near. */
const followerWeight = 3;

/** The first stage for nobody in particular. */
const anyone = { usual: [], categories: [], hour: null, weights: defaultFirstStage };

/** Scored ids as a list with cards, best first. */
async function listOf(
  env: RecommendationEnv,
  application: string,
  scored: (CardRequest & { score: number })[],
  limit: number,
): Promise<Result<RecommendationList>> {
  const best = scored.sort((a, b) => b.score - a.score).slice(0, limit);
  const cards = await cardsOf(env.PRODUCT, application, best);
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

const rowsOf = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

/** What people chose after a product, and what is of its kind and near it. */
export async function similar(
  env: RecommendationEnv,
  application: string,
  productId: string,
  limit: number,
): Promise<Result<RecommendationList>> {
  const cards = await env.PRODUCT.cards(application, anyVersion([productId]));
  if (!cards.ok) return cards;
  const [card] = cards.value;
  if (!card) return refuse("not_found", "There is no such product.");
  const store = locationCandidateStore(env.LOCATION, application);
  const now = Date.now() / 1000;
  const [own, near] = await Promise.all([
    store.products([{ productId, cell: card.cell }], 1),
    store.firstStage({
      ...anyone,
      point: card.location,
      limit: 200,
      filter: { categories: [card.category] },
      now,
    }),
  ]);
  const scores = new Map<string, CardRequest & { score: number }>();
  rowsOf(near).forEach((row, i) => {
    const id = near.id(row);
    scores.set(id, { productId: id, version: near.version[row], score: 1 / (1 + i / 20) });
  });
  const row = rowOfHash(own, hash53(productId));
  if (row !== undefined) {
    const nextProducts = nextProductsOf(own, row);
    const total = nextProducts.reduce((sum, each) => sum + each.weight, 5);
    for (const { productId: id, weight } of nextProducts) {
      const known = scores.get(id) ?? { productId: id, version: 0, score: 0 };
      scores.set(id, { ...known, score: known.score + (followerWeight * weight) / total });
    }
  }
  scores.delete(productId);
  return listOf(env, application, [...scores.values()], limit);
}

/** What is popular around a place now, or in the world. */
export async function trending(
  env: RecommendationEnv,
  application: string,
  point: Point | null,
  limit: number,
): Promise<Result<RecommendationList>> {
  const block = await locationCandidateStore(env.LOCATION, application).firstStage({
    ...anyone,
    point,
    limit,
    filter: {},
    now: Date.now() / 1000,
  });
  const scored = rowsOf(block).map((row) => ({
    productId: block.id(row),
    version: block.version[row],
    score: popularity(block, row),
  }));
  return listOf(env, application, scored, limit);
}
