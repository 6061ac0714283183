import type { Point } from "../../workers/shared/contracts/primitives.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";
import {
  type CategoryMemory,
  hourOf,
  type Person,
  type ProductMemory,
  placeHalfLife,
  type RecentEvent,
  weekdayOf,
} from "../person/person.ts";

/** A usual place with what it weighs now. */
export interface UsualPlace {
  lat: number;
  lon: number;
  weight: number;
}

/** What one ranking knows before it looks at a candidate. */
export interface RankingContext {
  person: Person;
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
  /** Own steps from the last choice, by the hash of where they led. */
  stepsFromLast: Map<number, number>;
  /** Own steps from the choice before, likewise. */
  stepsFromSecond: Map<number, number>;
  /** Own steps from either, summed. */
  stepsFromLastSum: number;
  stepsFromSecondSum: number;
  /** What everyone chose next after the last and the second last choice: shares by the hash of the product. */
  followersOfLast: Map<number, number>;
  followersOfSecond: Map<number, number>;
  categories: Map<number, CategoryMemory>;
  usualPlaces: UsualPlace[];
}

/** Usual places that the kernel density sees. */
const placesSeen = 24;
/** Smoothing of follower shares: a product followed a few times only says little. */
const followerPrior = 5;

/**
 * Prepares a ranking. `sources` are blocks that hold the last choices, from which their followers are read;
 * `offsetSeconds` is how far the clocks of the place are ahead of UTC.
 */
export function rankingContext(
  person: Person,
  now: number,
  offsetSeconds: number,
  point: Point | null,
  blocks: readonly Columns[],
): RankingContext {
  const localNow = now + offsetSeconds;
  const choices = person.recent.filter((each) => each.type !== "dismiss").reverse();
  const [last, second] = distinctChoices(choices);
  const stepsFromLast = stepsFrom(person, last?.productId);
  const stepsFromSecond = stepsFrom(person, second?.productId);
  const products = new Map<number, ProductMemory>();
  for (const [id, memory] of person.products) products.set(hash53(id), memory);
  const categories = new Map<number, CategoryMemory>();
  for (const [name, memory] of person.categories) categories.set(hash32(name), memory);
  const usualPlaces: UsualPlace[] = [...person.places.values()]
    .map(({ lat, lon, decayed, at }) => ({
      lat,
      lon,
      weight: decayed * 2 ** (-Math.max(0, now - at) / 86_400 / placeHalfLife),
    }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, placesSeen);
  const total = usualPlaces.reduce((sum, place) => sum + place.weight, 0);
  for (const place of usualPlaces) place.weight /= total;
  return {
    person,
    now,
    localNow,
    hour: hourOf(localNow),
    weekday: weekdayOf(localNow),
    point,
    choices,
    lastHash: last ? hash53(last.productId) : -1,
    products,
    categories,
    stepsFromLast,
    stepsFromSecond,
    stepsFromLastSum: sum(stepsFromLast),
    stepsFromSecondSum: sum(stepsFromSecond),
    followersOfLast: followers(blocks, last?.productId),
    followersOfSecond: followers(blocks, second?.productId),
    usualPlaces,
  };
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

function stepsFrom(person: Person, from: string | undefined): Map<number, number> {
  const steps = new Map<number, number>();
  if (from === undefined) return steps;
  const prefix = `${from} `;
  for (const [key, step] of person.steps)
    if (key.startsWith(prefix)) steps.set(hash53(key.slice(prefix.length)), step.count);
  return steps;
}

function followers(blocks: readonly Columns[], productId: string | undefined): Map<number, number> {
  const shares = new Map<number, number>();
  if (productId === undefined) return shares;
  const hash = hash53(productId);
  for (const block of blocks) {
    const row = block.idHash.indexOf(hash);
    if (row < 0) continue;
    let total = followerPrior;
    for (let i = block.neighbourStart[row]; i < block.neighbourStart[row + 1]; i++)
      total += block.neighbourWeight[i];
    for (let i = block.neighbourStart[row]; i < block.neighbourStart[row + 1]; i++)
      shares.set(block.neighbourHash[i], block.neighbourWeight[i] / total);
    break;
  }
  return shares;
}
