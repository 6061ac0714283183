import type { Point } from "../../shared/contracts/primitives.ts";
import { unitVectors } from "../../shared/geo/sphere.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import {
  type CategoryMemory,
  hourOf,
  type ProductMemory,
  placeHalfLife,
  type RecentEvent,
  type UserProfile,
  weekdayOf,
} from "../profile/profile.ts";
import { type ListedRow, type ListSummary, summaryOf } from "./list.ts";

/** Usual places with what each weighs now; weights add up to one. */
export interface UsualPlaces {
  count: number;
  /** Unit vectors. */
  at: Float64Array;
  weights: Float64Array;
}

/** What one ranking knows before it looks at a candidate. */
export interface RankingContext {
  profile: UserProfile;
  /** Seconds since the epoch. */
  now: number;
  /** Seconds on the clock of the place. */
  localNow: number;
  hour: number;
  weekday: number;
  /** Where the person is; null for unknown. */
  point: Point | null;
  /** Choices, newest first. */
  choices: RecentEvent[];
  /** Hash of the last choice; -1 for none. */
  lastHash: number;
  /** What was remembered of a product, by the hash of its id. */
  products: Map<number, ProductMemory>;
  /** Local times at which the product of the last choice was chosen, ascending. */
  timesOfLast: readonly number[];
  /** Own steps from the last choice, by the hash of where they led. */
  stepsFromLast: Map<number, number>;
  /** Own steps from the choice before, likewise. */
  stepsFromSecond: Map<number, number>;
  /** Own steps from either, summed. */
  stepsFromLastSum: number;
  stepsFromSecondSum: number;
  /** What everyone chose next after the last and the second last choice: shares by the hash of the product. */
  nextProductsOfLast: Map<number, number>;
  nextProductsOfSecond: Map<number, number>;
  categories: Map<number, CategoryMemory>;
  /** What the person chose after the category of the last choice, lately: smoothed shares by category. */
  categorySteps: Map<number, number>;
  /** Share of the newest choices that were the person's first of their product. */
  novelty: number;
  /** Unit vectors of where the person is, of the last choice and of home; NaN where unknown. */
  spots: Float64Array;
  usualPlaces: UsualPlaces;
  list: ListSummary;
  /** What popularity computes once for a block. */
  decays: Map<Columns, readonly number[]>;
}

/** Index of each spot in {@link RankingContext.spots}. */
export const spot = { point: 0, last: 1, home: 2 } as const;

/** Usual places that the kernel density sees. */
const placesSeen = 16;
/** Newest choices by which the appetite for what is new is judged, and what is believed before any. */
const noveltySeen = 20;
const noveltyPrior = { share: 0.3, choices: 4 };
/** Smoothing of steps between categories. */
const categoryStepPrior = 3;
/** Smoothing of follower shares: a product followed a few times only says little. */
const followerPrior = 5;

/**
 * Prepares a ranking of `candidates`. `blocks` hold the last choices, from which their followers are read;
 * `offsetSeconds` is how far the clocks of the place are ahead of UTC.
 */
export function rankingContext(
  profile: UserProfile,
  now: number,
  offsetSeconds: number,
  point: Point | null,
  blocks: readonly Columns[],
  candidates: readonly ListedRow[],
): RankingContext {
  const localNow = now + offsetSeconds;
  const choices = profile.recent.filter((each) => each.type !== "dismiss").reverse();
  const [last, second] = distinctChoices(choices);
  const stepsFromLast = stepsFrom(profile, last?.productId);
  const stepsFromSecond = stepsFrom(profile, second?.productId);
  const products = new Map<number, ProductMemory>();
  for (const [id, memory] of profile.products) products.set(hash53(id), memory);
  const categories = new Map<number, CategoryMemory>();
  for (const [name, memory] of profile.categories) categories.set(hash32(name), memory);
  const hour = hourOf(localNow);
  return {
    profile,
    now,
    localNow,
    hour,
    weekday: weekdayOf(localNow),
    point,
    choices,
    lastHash: last ? hash53(last.productId) : -1,
    products,
    categories,
    timesOfLast: (last && profile.products.get(last.productId)?.times) ?? [],
    stepsFromLast,
    stepsFromSecond,
    stepsFromLastSum: sum(stepsFromLast),
    stepsFromSecondSum: sum(stepsFromSecond),
    nextProductsOfLast: nextProducts(blocks, last?.productId),
    nextProductsOfSecond: nextProducts(blocks, second?.productId),
    categorySteps: categorySteps(choices),
    novelty: noveltyOf(profile, choices),
    spots: spotsOf(point, last, profile.home),
    usualPlaces: usualPlacesOf(profile, now),
    list: summaryOf(candidates, profile, hour),
    decays: new Map(),
  };
}

function spotsOf(point: Point | null, last: RecentEvent | undefined, home: Point | null): Float64Array {
  const spots = [point, last ?? null, home];
  return unitVectors(
    spots.map((each) => each?.lat ?? Number.NaN),
    spots.map((each) => each?.lon ?? Number.NaN),
    spots.length,
  );
}

function usualPlacesOf(profile: UserProfile, now: number): UsualPlaces {
  const places = [...profile.places.values()]
    .map(({ lat, lon, decayed, at }) => ({
      lat,
      lon,
      weight: decayed * 2 ** (-Math.max(0, now - at) / 86_400 / placeHalfLife),
    }))
    // What is centuries old has decayed to nothing, which has no share.
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, placesSeen);
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

/** Shares of the categories that followed the category of the newest choice, c / (n + prior), over recent choices. */
function categorySteps(choices: readonly RecentEvent[]): Map<number, number> {
  const shares = new Map<number, number>();
  const last = choices[0]?.category;
  if (last === undefined || last === null) return shares;
  let total = categoryStepPrior;
  for (let i = choices.length - 1; i > 0; i--) {
    const { category } = choices[i - 1];
    if (choices[i].category !== last || category === null) continue;
    shares.set(hash32(category), (shares.get(hash32(category)) ?? 0) + 1);
    total++;
  }
  for (const [hash, count] of shares) shares.set(hash, count / total);
  return shares;
}

/** Share of the newest choices that were the first of their product, smoothed. */
function noveltyOf(profile: UserProfile, choices: readonly RecentEvent[]): number {
  const seen = choices.slice(0, noveltySeen);
  let fresh = noveltyPrior.share * noveltyPrior.choices;
  for (const { productId, localTime } of seen) if (isFirstChoice(profile, productId, localTime)) fresh++;
  return fresh / (seen.length + noveltyPrior.choices);
}

/** Whether the choice is the first of its product, as long as all of them are remembered. */
function isFirstChoice(profile: UserProfile, productId: string, localTime: number): boolean {
  const memory = profile.products.get(productId);
  return memory !== undefined && memory.choices === memory.times.length && memory.times[0] === localTime;
}

/** The newest choices of different products. */
export function distinctChoices(choices: readonly RecentEvent[]): RecentEvent[] {
  const seen = new Set<string>();
  return choices.filter(({ productId }) => !seen.has(productId) && seen.add(productId));
}

function sum(counts: Map<number, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

function stepsFrom(profile: UserProfile, from: string | undefined): Map<number, number> {
  const steps = new Map<number, number>();
  if (from === undefined) return steps;
  const prefix = `${from} `;
  for (const [key, step] of profile.transitions)
    if (key.startsWith(prefix)) steps.set(hash53(key.slice(prefix.length)), step.count);
  return steps;
}

function nextProducts(blocks: readonly Columns[], productId: string | undefined): Map<number, number> {
  const shares = new Map<number, number>();
  if (productId === undefined) return shares;
  const hash = hash53(productId);
  for (const block of blocks) {
    const row = block.idHash.indexOf(hash);
    if (row < 0) continue;
    let total = followerPrior;
    for (let i = block.nextStart[row]; i < block.nextStart[row + 1]; i++) total += block.nextWeight[i];
    for (let i = block.nextStart[row]; i < block.nextStart[row + 1]; i++)
      shares.set(block.nextHash[i], block.nextWeight[i] / total);
    break;
  }
  return shares;
}
