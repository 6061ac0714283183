import type { Point } from "../../shared/contracts/primitives.ts";
import { unitVectors } from "../../shared/geo/sphere.ts";
import { localHourOf, localWeekdayOf } from "../../shared/time/local-clock.ts";
import { type Columns, nextProductsOf } from "../columns/columns.ts";
import { ProductTable } from "../columns/product-table.ts";
import { rowOfProduct } from "../columns/row-index.ts";
import {
  type CategoryStats,
  type DeepReadonly,
  type ProductStats,
  placeWeight,
  productPairKey,
  type ReadonlyProfile,
  type RecentEvent,
} from "../profile/profile.ts";
import { choiceOrderOf, type OrderStats } from "./choice-order.ts";
import { type BlockRow, type ListSummary, summarizeCandidates } from "./list-summary.ts";

/** A user's usual places. */
export interface UsualPlaces {
  count: number;
  /** Unit vectors. */
  at: Float64Array;
  /** Decayed choices at each place as of the ranking, as shares of their sum. */
  weights: Float64Array;
}

/** All data that the features of one ranking read, except the candidate itself. */
export interface RankingContext {
  profile: ReadonlyProfile;
  /** Seconds since the epoch. */
  now: number;
  /** Local time at the user's location: `now` plus the offset from UTC, in seconds. */
  localNow: number;
  /** Local hour, 0-23. */
  hour: number;
  /** Local weekday, 0 Monday - 6 Sunday. */
  weekday: number;
  /** The user's location; null for unknown. */
  point: Point | null;
  /** The user's choices, newest first. */
  choices: RecentEvent[];
  /** Product of the last choice; null for none. */
  lastProductId: string | null;
  /** The user's statistics of each product. */
  products: ProductTable<DeepReadonly<ProductStats>>;
  /** What the order of the user's choices says about each product. */
  choiceOrder: ProductTable<OrderStats>;
  /** The user's dismissals of each product. */
  dismissals: ProductTable<number>;
  /** Local times of all choices of the product of the last choice, ascending. */
  lastProductTimes: readonly number[];
  /** The user's transitions from the last and the second last product, by the next product. */
  transitionsFromLast: ProductTable<number>;
  transitionsFromSecond: ProductTable<number>;
  /** Sums of these transitions. */
  transitionsFromLastSum: number;
  transitionsFromSecondSum: number;
  /** Smoothed shares of all users' transitions from the last and the second last product, by the next. */
  globalTransitionsFromLast: ProductTable<number>;
  globalTransitionsFromSecond: ProductTable<number>;
  /** The user's statistics of each category, by its name. */
  categories: ReadonlyMap<string, DeepReadonly<CategoryStats>>;
  /**
   * The user's recent transitions from the category of the last choice: smoothed shares by the next one.
   */
  categoryTransitions: Map<string, number>;
  /** Share of the newest choices that were the user's first choice of their product, smoothed. */
  novelty: number;
  /** Unit vectors of the user's location, of the last choice and of home; NaN for an unknown one. */
  referencePoints: Float64Array;
  usualPlaces: UsualPlaces;
  list: ListSummary;
}

/** Index of each point in {@link RankingContext.referencePoints}. */
export const referencePointIndex = { point: 0, last: 1, home: 2 } as const;

/** Usual places in the kernel density, at most. */
const maxUsualPlaces = 16;
/** Number of newest choices from which novelty is estimated, and the prior: a share that weighs as many choices. */
const noveltyChoices = 20;
const noveltyPrior = { share: 0.3, choices: 4 };
/** Smoothing of transitions between categories, in transitions. */
const categoryTransitionPrior = 3;
/** Smoothing of the shares of next products, in transitions: a share of few transitions is uncertain. */
const nextProductPrior = 5;

/**
 * Returns the context of a ranking of `candidates`. It reads the next products of the user's last choices from
 * `blocks`. `offsetSeconds` is the offset of the clocks at the user's location from UTC.
 */
export function rankingContext(
  profile: ReadonlyProfile,
  now: number,
  offsetSeconds: number,
  point: Point | null,
  blocks: readonly Columns[],
  candidates: readonly BlockRow[],
): RankingContext {
  const localNow = now + offsetSeconds;
  const choices = [...profile.recent].reverse();
  const [last, second] = distinctChoices(choices);
  const transitionsFromLast = transitionsFrom(profile, last?.productId);
  const transitionsFromSecond = transitionsFrom(profile, second?.productId);
  const products = new ProductTable<DeepReadonly<ProductStats>>(profile.products.size);
  for (const [id, stats] of profile.products) products.set(id, stats);
  const dismissals = new ProductTable<number>(profile.dismissed.size);
  for (const [id, { count }] of profile.dismissed) dismissals.set(id, count);
  const hour = localHourOf(localNow);
  return {
    profile,
    now,
    localNow,
    hour,
    weekday: localWeekdayOf(localNow),
    point,
    choices,
    lastProductId: last?.productId ?? null,
    products,
    choiceOrder: choiceOrderOf(profile, localNow),
    dismissals,
    categories: profile.categories,
    lastProductTimes: (last && profile.products.get(last.productId)?.times) ?? [],
    transitionsFromLast,
    transitionsFromSecond,
    transitionsFromLastSum: sum(transitionsFromLast),
    transitionsFromSecondSum: sum(transitionsFromSecond),
    globalTransitionsFromLast: nextProductShares(blocks, last?.productId),
    globalTransitionsFromSecond: nextProductShares(blocks, second?.productId),
    categoryTransitions: categoryTransitionShares(choices),
    novelty: noveltyOf(profile, choices),
    referencePoints: referencePointsOf(point, last, profile.home),
    usualPlaces: usualPlacesOf(profile, now),
    list: summarizeCandidates(candidates, profile, hour),
  };
}

function referencePointsOf(
  point: Point | null,
  last: RecentEvent | undefined,
  home: Point | null,
): Float64Array {
  const points = [point, last ?? null, home];
  return unitVectors(
    points.map((each) => each?.lat ?? Number.NaN),
    points.map((each) => each?.lon ?? Number.NaN),
    points.length,
  );
}

function usualPlacesOf(profile: ReadonlyProfile, now: number): UsualPlaces {
  const places = [...profile.places.values()]
    .map((place) => ({ lat: place.lat, lon: place.lon, weight: placeWeight(place, now) }))
    // Choices that are centuries old decay to 0: without this filter, a sum of 0 would divide the weights.
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, maxUsualPlaces);
  const total = places.reduce((all, place) => all + place.weight, 0);
  return {
    count: places.length,
    at: unitVectors(
      places.map(({ lat }) => lat),
      places.map(({ lon }) => lon),
      places.length,
    ),
    weights: Float64Array.from(places, ({ weight }) => weight / total),
  };
}

/** Returns the share of each category in the transitions from the category of the newest choice: c / (n + prior). */
function categoryTransitionShares(choices: readonly RecentEvent[]): Map<string, number> {
  const shares = new Map<string, number>();
  const last = choices[0]?.category;
  if (last === undefined || last === null) return shares;
  let total = categoryTransitionPrior;
  for (let i = choices.length - 1; i > 0; i--) {
    const { category } = choices[i - 1];
    if (choices[i].category !== last || category === null) continue;
    shares.set(category, (shares.get(category) ?? 0) + 1);
    total++;
  }
  for (const [name, count] of shares) shares.set(name, count / total);
  return shares;
}

/** Returns the share of the newest choices that were the first of their product, smoothed. */
function noveltyOf(profile: ReadonlyProfile, choices: readonly RecentEvent[]): number {
  const newest = choices.slice(0, noveltyChoices);
  let firstChoices = noveltyPrior.share * noveltyPrior.choices;
  for (const { productId, localTime } of newest)
    if (isFirstChoice(profile, productId, localTime)) firstChoices++;
  return firstChoices / (newest.length + noveltyPrior.choices);
}

/** Returns whether the choice is the first of its product; false if the profile has dropped times of the product. */
function isFirstChoice(profile: ReadonlyProfile, productId: string, localTime: number): boolean {
  const stats = profile.products.get(productId);
  return stats !== undefined && stats.choices === stats.times.length && stats.times[0] === localTime;
}

/** Returns the newest choice of each product, in the given order. */
export function distinctChoices(choices: readonly RecentEvent[]): RecentEvent[] {
  const seen = new Set<string>();
  return choices.filter(({ productId }) => !seen.has(productId) && seen.add(productId));
}

function sum(counts: ProductTable<number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

/** Returns the user's transitions from a product, by the next product. */
function transitionsFrom(profile: ReadonlyProfile, productId: string | undefined): ProductTable<number> {
  const counts = new ProductTable<number>();
  if (productId === undefined) return counts;
  const prefix = productPairKey(productId, "");
  for (const [key, { count }] of profile.transitions)
    if (key.startsWith(prefix)) counts.set(key.slice(prefix.length), count);
  return counts;
}

/** Returns the smoothed shares of a product's next products, from the first block that contains it. */
function nextProductShares(blocks: readonly Columns[], productId: string | undefined): ProductTable<number> {
  const shares = new ProductTable<number>();
  if (productId === undefined) return shares;
  for (const block of blocks) {
    const row = rowOfProduct(block, productId);
    if (row === undefined) continue;
    const next = nextProductsOf(block, row);
    const total = next.reduce((all, { weight }) => all + weight, nextProductPrior);
    for (const each of next) shares.set(each.productId, each.weight / total);
    break;
  }
  return shares;
}
