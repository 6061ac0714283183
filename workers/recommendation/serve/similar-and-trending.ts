import { type Columns, nextProductsOf } from "../../../model/columns/columns.ts";
import { hash32 } from "../../../model/columns/hash.ts";
import { optionalString } from "../../../model/columns/optional-values.ts";
import { rowOfProduct } from "../../../model/columns/row-index.ts";
import { isUntried } from "../../../model/columns/untried.ts";
import { textLikenesses } from "../../../model/content/text-likeness.ts";
import { listFields } from "../../../model/expressions/standard-fields.ts";
import { answerFilterOf, checkFilter } from "../../../model/retrieval/decide-filter.ts";
import { compileProductTest } from "../../../model/retrieval/filter.ts";
import { defaultFirstStage } from "../../../model/retrieval/first-stage.ts";
import { logScoreAtDistance } from "../../../model/retrieval/reach.ts";
import { popularityScore } from "../../../model/tiles/engagement.ts";
import type { DecidedFilter, Searched } from "../../../shared/contracts/location.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { type CardRequest, cardsOfAnyVersion } from "../../../shared/contracts/product.ts";
import type { ProductListQuery, RecommendationList } from "../../../shared/contracts/recommendation.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { distanceKm } from "../../../shared/geo/distance.ts";
import { filterableAttributes } from "../../../shared/services/filterable-attributes.ts";
import { decideListFilter } from "./decide-list-filter.ts";
import { listProducts } from "./listed-products.ts";
import { locationCandidateStore } from "./location-candidates.ts";
import { shownProductOf } from "./shown-product.ts";

/** Weight of a product's share of the next choices, against at most 1 for a nearby product of the same category. */
const nextProductWeight = 3;
/** Weight of imaginary other choices: few observed transitions must not outrank the nearby products. */
const nextProductPriorWeight = 5;
/** Nearby products that compete for a place in a list. */
const maxNearby = 200;
/** Nearby products of the category whose texts are compared. */
const maxCompared = 500;
/** Logarithm of the factor of a product whose text is the same, against one that shares no word. */
const sameTextLog = Math.log(20);
/** Rank at which the score of a nearby product has halved. */
const nearbyHalfRank = 20;
/** Logarithm of a score below that of nearly every product within reach. */
const floorLogScore = -10;

/** The fields of a first-stage query that describe a user. They are empty: these lists are the same for every user. */
const anonymousQuery = {
  usual: [],
  categories: [],
  hour: null,
  weights: defaultFirstStage,
  hidesSmallCounts: true,
};

/** A product of a list that is the same for every user. */
type ScoredProduct = CardRequest & { score: number; createdAt: number };

/** What a list may contain: the products near a point that pass a filter. */
interface ListRule {
  point: Point | null;
  filter: DecidedFilter;
  /** Time of the query, in seconds since the epoch. */
  now: number;
  exclude: string[];
  /** Groups of variants of which the list shows none. */
  excludeGroups?: string[];
}

/** What a ranking is made of. */
interface Ranking {
  products: ScoredProduct[];
  searched: Searched;
}

/** Returns the `limit` best products that pass the rule, with their cards, best first. */
async function rankedList(
  env: RecommendationEnv,
  application: string,
  { products, searched }: Ranking,
  limit: number,
  rule: ListRule,
): Promise<Result<RecommendationList>> {
  const ranked = products.sort((a, b) => b.score - a.score);
  const test = compileProductTest(rule).row;
  const listed = await listProducts(env.PRODUCT, application, { items: ranked }, limit, test);
  if (!listed.ok) return listed;
  const items = listed.value.map(({ ranked: { productId, score }, card }, i) => ({
    productId,
    rank: i + 1,
    score,
    product: shownProductOf(card, rule.now),
  }));
  return ok({ items, searched, ...answerFilterOf(rule.filter) });
}

const rowIndices = (columns: Columns): number[] => Array.from({ length: columns.count }, (_, row) => row);

/**
 * Returns the rows in an order that says nothing of what few users did: products that nobody chose and many dismissed
 * come last, others by the hash of their id. Rows of equal popularity keep this order.
 */
const rowsForEverybody = (columns: Columns): number[] =>
  rowIndices(columns).sort(
    (a, b) =>
      Number(isUntried(columns, b)) - Number(isUntried(columns, a)) ||
      hash32(columns.id(a)) - hash32(columns.id(b)),
  );

const searchedOf = ({ meta }: Columns): Searched => meta.searched ?? { radiusKm: null, complete: false };

/** Returns the logarithm of a row's score with the term for its distance from a point. */
function atDistance(point: Point | null, block: Columns, row: number, logScore: number): number {
  if (!point) return logScore;
  const km = distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]);
  return logScoreAtDistance(logScore, km, floorLogScore);
}

/** Returns the words by which the product of a row is compared with others: those of its title and its brand. */
const textOf = (block: Columns, row: number): string =>
  `${block.title(row)} ${optionalString(block, "brand", row) ?? ""}`;

/**
 * Returns products that users chose after a product, and products of its category near it, best first. Of the latter, those with
 * a like title and brand come first, so that a product has neighbors before anybody chose it.
 */
export async function similarProducts(
  env: RecommendationEnv,
  application: string,
  productId: string,
  { limit, filter: asked, exclude }: ProductListQuery,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<RecommendationList>> {
  const attributes = await filterableAttributes(env.PRODUCT, application, [asked.expression], waitUntil);
  const checked = checkFilter(asked, listFields, "expression", attributes);
  if (!checked.ok) return checked;
  const cards = await env.PRODUCT.getCards(application, cardsOfAnyVersion([productId]));
  if (!cards.ok) return cards;
  const [card] = cards.value;
  if (!card) return refuse("not_found", `There is no product ${productId}.`);
  const store = locationCandidateStore(env.LOCATION, application);
  const now = Date.now() / 1000;
  // Who compares a product with others compares prices in its currency.
  const moment = { now, point: card.location, user: null, attributes };
  const filter = await decideListFilter(env.LOCATION, application, asked, moment, card.currency);
  const rule: ListRule = {
    point: card.location,
    filter,
    now,
    exclude: [productId, ...exclude],
    ...(card.groupId === null ? {} : { excludeGroups: [card.groupId] }),
  };
  const [own, near] = await Promise.all([
    store.productColumns([{ productId, cell: card.cell }], 1),
    store.firstStageCandidates({
      ...anonymousQuery,
      ...rule,
      filter: { categories: [card.category], ...rule.filter },
      limit: maxCompared,
    }),
  ]);
  const row = rowOfProduct(own, productId);
  const nextProducts = row === undefined ? [] : nextProductsOf(own, row);
  const missing = nextProducts.filter((each) => rowOfProduct(near, each.productId) === undefined);
  const next = missing.length > 0 ? await store.productColumns(missing, 0) : null;
  const scores = new Map<string, ScoredProduct>();
  const add = (block: Columns, row: number, logScore: number): void => {
    const id = block.id(row);
    const score = Math.exp(atDistance(card.location, block, row, logScore)) + (scores.get(id)?.score ?? 0);
    scores.set(id, {
      ...{ productId: id, version: block.version[row], createdAt: block.createdAt[row], score },
    });
  };
  const rows = rowIndices(near);
  const likenesses = textLikenesses(
    row === undefined ? card.title : textOf(own, row),
    rows.map((each) => textOf(near, each)),
  );
  for (const each of rows)
    add(near, each, sameTextLog * likenesses[each] - Math.log(1 + each / nearbyHalfRank));
  const test = compileProductTest(rule).row;
  const total = nextProducts.reduce((sum, each) => sum + each.weight, nextProductPriorWeight);
  for (const { productId: id, weight } of nextProducts)
    for (const block of [near, next]) {
      const row = block ? rowOfProduct(block, id) : undefined;
      if (block && row !== undefined && test(block, row))
        add(block, row, Math.log((nextProductWeight * weight) / total));
    }
  const ranking = {
    products: [...scores.values()],
    searched: searchedOf(near),
  };
  return rankedList(env, application, ranking, limit, rule);
}

/** Returns the products that are popular near a point now; worldwide if the point is null. Best first. */
export async function trendingProducts(
  env: RecommendationEnv,
  application: string,
  point: Point | null,
  { limit, filter: asked, exclude }: ProductListQuery,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<RecommendationList>> {
  const attributes = await filterableAttributes(env.PRODUCT, application, [asked.expression], waitUntil);
  const checked = checkFilter(asked, listFields, "expression", attributes);
  if (!checked.ok) return checked;
  const now = Date.now() / 1000;
  const filter = await decideListFilter(env.LOCATION, application, asked, {
    now,
    point,
    user: null,
    attributes,
  });
  const rule: ListRule = { point, filter, now, exclude };
  const near = await locationCandidateStore(env.LOCATION, application).firstStageCandidates({
    ...anonymousQuery,
    ...rule,
    limit: maxNearby,
  });
  const scored = rowsForEverybody(near).map((row) => ({
    productId: near.id(row),
    version: near.version[row],
    createdAt: near.createdAt[row],
    score: atDistance(point, near, row, popularityScore(near, row)),
  }));
  return rankedList(env, application, { products: scored, searched: searchedOf(near) }, limit, rule);
}
