import { minuteSeconds } from "../../shared/time/seconds.ts";
import { isDeliberate } from "../profile/apply-interaction.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";

/** Half-life in seconds of what a choice tells of the present intent. */
const halfLifeSeconds = 35 * minuteSeconds;
/** Age in seconds from which a choice tells nothing of it. */
const maxAgeSeconds = 6 * halfLifeSeconds;
/** Weight of a view, which may be an accident, against 1 of a click, cart or purchase. */
const viewWeight = 0.3;

/** Choices of a category that are added to the earlier ones, and of all categories: a new user has an even tenth. */
const priorOfCategory = 0.5;
const priorOfAll = 5;
/** Probability of as many choices of the category without an intent, below which there is one. */
const maxChance = 0.01;

/** Weighted products for each position that an intent gets, and the positions at most. */
const productsPerPosition = 2;
const maxPositions = 3;

/** What a user is looking for now. */
export interface SessionIntent {
  category: string;
  /** How many of the first ten positions the category gets, at least: 1 to {@link maxPositions}. */
  positions: number;
}

/**
 * Returns what a user is looking for at `now` (seconds since the epoch): the category of most products of their choices of
 * the last hours, which halve every 35 minutes, if they choose it more often than usual. Null if there is none. Each
 * product counts once. The usual share is that of all earlier choices. The bound of Chernoff (1952) on a binomial tail,
 * exp(-n KL(k/n, share)), says how probable k of n products are without an intent. Products of the request's context are
 * no choices: they have the time of the list.
 */
export function sessionIntent(
  { recent, categories, choices }: Pick<ReadonlyProfile, "recent" | "categories" | "choices">,
  now: number,
): SessionIntent | null {
  const products = new Map<string, { category: string | null; weight: number }>();
  const choicesNow = new Map<string | null, number>();
  let allNow = 0;
  for (const { productId, category, type, time } of recent) {
    if (time >= now || now - time > maxAgeSeconds) continue;
    allNow++;
    choicesNow.set(category, (choicesNow.get(category) ?? 0) + 1);
    const weight = (isDeliberate(type) ? 1 : viewWeight) * 2 ** ((time - now) / halfLifeSeconds);
    products.set(productId, { category, weight: Math.max(weight, products.get(productId)?.weight ?? 0) });
  }
  const weights = new Map<string, number>();
  let all = 0;
  for (const { category, weight } of products.values()) {
    all += weight;
    if (category !== null) weights.set(category, (weights.get(category) ?? 0) + weight);
  }
  const [most] = [...weights].sort(([, a], [, b]) => b - a);
  if (most === undefined) return null;
  const [category, weight] = most;
  const positions = Math.min(maxPositions, Math.floor(weight / productsPerPosition));
  if (positions === 0) return null;
  const earlier = Math.max(0, (categories.get(category)?.choices ?? 0) - (choicesNow.get(category) ?? 0));
  const usualShare = (earlier + priorOfCategory) / (Math.max(earlier, choices - allNow) + priorOfAll);
  return chanceOf(weight, all, usualShare) <= maxChance ? { category, positions } : null;
}

/** Returns a bound on the probability of `k` or more of `n` choices, of which each is one by `share`. */
function chanceOf(k: number, n: number, share: number): number {
  const observed = k / n;
  if (observed <= share) return 1;
  const divergence =
    observed * Math.log(observed / share) +
    (observed < 1 ? (1 - observed) * Math.log((1 - observed) / (1 - share)) : 0);
  return Math.exp(-n * divergence);
}
